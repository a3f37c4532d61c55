"""What a file system does to the figures."""

from __future__ import annotations

import os
from pathlib import Path


def forgets_slowly(directory: Path) -> bool:
    """Whether removed files make new ones dear for some minutes.

    An ext4 without a journal does not give an inode out again for up to six minutes (`recently_deleted` in the kernel's
    fs/ext4/ialloc.c), and looks at each one of them whenever it makes a file. Where it has a journal, a thread of it is
    listed under /proc.
    """
    device = os.stat(directory).st_dev
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, rest = line.partition(" - ")
        if fields.split()[2] != f"{os.major(device)}:{os.minor(device)}":
            continue
        kind, source = rest.split()[:2]
        journals = Path("/proc/fs/jbd2")
        names = os.listdir(journals) if journals.exists() else []
        # As in vda1-8: the journal's inode comes after the device's name.
        return kind == "ext4" and not any(name.rpartition("-")[0] == os.path.basename(source) for name in names)
    return False
