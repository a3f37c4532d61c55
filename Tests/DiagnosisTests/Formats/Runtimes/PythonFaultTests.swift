import Diagnosis
import Testing

@Suite("Fatal errors of Python")
struct PythonFaultTests {
    private static let stacks = """
        Thread 0x00007fc92fae76c0 (most recent call first):
          File "/srv/till/seg.py", line 4 in worker
          File "/usr/lib/python3.11/threading.py", line 982 in run

        Current thread 0x00007fc930879b80 [MainThread] (most recent call first):
          File "/usr/lib/python3.11/ctypes/__init__.py", line 519 in string_at
          File "/srv/till/seg.py", line 6 in load_row
          File "/srv/till/seg.py", line 8 in <module>

        Extension modules: numpy.core._multiarray_umath, _cffi_backend (total: 2)

        """

    @Test("the signal, all threads and the current one are read")
    func segmentationFault() throws {
        let diagnosis = recognize("loading rows\nFatal Python error: Segmentation fault\n\n" + Self.stacks)
        #expect(diagnosis.format == "python-faulthandler")
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.summary == "python: Fatal Python error: Segmentation fault in load_row at seg.py:6")
        let crash = try #require(diagnosis.crash)
        #expect(crash.cause.signal == "SIGSEGV")
        #expect(crash.runtime?.version == "3.11")
        #expect(crash.threads.map(\.isCrashed) == [false, true])
        #expect(crash.threads.map(\.number) == [0x7fc9_2fae_76c0, 0x7fc9_3087_9b80])
        #expect(crash.crashedThread?.name == "MainThread")
        #expect(crash.crashedThread?.frames.map(\.isOwn) == [false, true, true])
    }

    @Test("a runtime that cannot start names the exception")
    func initialization() throws {
        let crash = try #require(
            recognize(
                """
                Fatal Python error: init_fs_encoding: failed to get the Python codec of the filesystem encoding
                Python runtime state: core initialized
                ModuleNotFoundError: No module named 'encodings'

                Current thread 0x00007fbcd0bcbb80 (most recent call first):
                  <no Python frame>

                """
            ).crash)
        #expect(crash.cause.type == "Fatal Python error")
        #expect(crash.cause.signal == nil)
        #expect(
            crash.earlierCauses == [Crash.Cause(type: "ModuleNotFoundError", message: "No module named 'encodings'")])
        #expect(crash.threads.count == 1)
    }

    @Test("a process that ran out of time hangs, and stacks that somebody asked for are no crash")
    func noCrashes() {
        let timeout = recognize("Timeout (0:00:05)!\n" + Self.stacks)
        #expect(timeout.kind == .hang)
        #expect(timeout.summary == "python: Timeout: 0:00:05 in load_row at seg.py:6")
        #expect(recognize(Self.stacks).kind == .diagnostic)
        #expect(recognize("Timeout (0:00:05)!\n").kind == .log)
    }

    @Test("a fatal error counts more than the hang before it")
    func worst() {
        let diagnosis = recognize("Timeout (0:00:05)!\n\(Self.stacks)\nFatal Python error: Aborted\n\n\(Self.stacks)")
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.crash?.cause.signal == "SIGABRT")
    }

    @Test("a title without stacks counts only where the text ends")
    func cut() {
        #expect(recognize("Fatal Python error: Segmentation fault\n\n").kind == .crash)
        #expect(recognize("Fatal Python error: Segmentation fault\nis what the user sees then.\n").kind == .log)
    }
}
