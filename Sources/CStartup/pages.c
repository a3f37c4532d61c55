#define _GNU_SOURCE
#include "CStartup.h"

#include <link.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static int release_object(struct dl_phdr_info *object, size_t size, void *context) {
    (void)size;
    (void)context;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (ElfW(Half) index = 0; index < object->dlpi_phnum; index++) {
        const ElfW(Phdr) *header = &object->dlpi_phdr[index];
        // What may be written to holds more than its file does: it was relocated.
        if (header->p_type != PT_LOAD || header->p_flags & PF_W) continue;
        uintptr_t start = object->dlpi_addr + header->p_vaddr, first = start / page * page;
        madvise((void *)first, start + header->p_memsz - first, MADV_DONTNEED);
    }
    return 0;
}

void cstartup_release_memory(void) {
    malloc_trim(0);
    dl_iterate_phdr(release_object, NULL);
}
