import Diagnosis
import Testing

@Suite("Panics of Rust programs")
struct RustPanicTests {
    @Test("the message, the place and the stack of a panic are read behind log lines")
    func panicWithStack() throws {
        let diagnosis = recognize(
            """
            2026-11-28T08:00:00.004Z  INFO gateway: listening on 0.0.0.0:8443

            thread 'tokio-runtime-worker' (40122) panicked at src/session.rs:204:38:
            called `Option::unwrap()` on a `None` value
            stack backtrace:
               0: rust_begin_unwind
                         at /rustc/9fc6b431/library/std/src/panicking.rs:665:5
               1: core::panicking::panic_fmt
                         at /rustc/9fc6b431/library/core/src/panicking.rs:74:14
               2: core::option::unwrap_failed
                         at /rustc/9fc6b431/library/core/src/option.rs:2009:5
               3: gateway::session::resume
                         at ./src/session.rs:204:38
               4: tokio::runtime::task::raw::poll
                         at /home/ci/.cargo/registry/src/index.crates.io-6f17d22bba15001f/tokio-1.41.0/src/raw.rs:200:5
            note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.
            """)
        #expect(diagnosis.format == "rust-panic")
        #expect(diagnosis.kind == .crash)
        let crash = try #require(diagnosis.crash)
        #expect(crash.cause.type == "panic")
        #expect(crash.cause.message == "called `Option::unwrap()` on a `None` value")
        #expect(crash.runtime?.name == "Rust")
        let thread = try #require(crash.crashedThread)
        #expect(thread.name == "tokio-runtime-worker")
        #expect(thread.frames.map(\.isOwn) == [false, true, false])
        #expect(crash.place?.function == "gateway::session::resume")
        #expect(crash.place?.line == 204)
    }

    @Test("a stack overflow is a crash by a signal")
    func overflow() {
        let diagnosis = recognize(
            "\nthread 'main' has overflowed its stack\nfatal runtime error: stack overflow, aborting\n")
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.crash?.cause.signal == "SIGABRT")
        #expect(diagnosis.summary == "rust: stack overflow: thread 'main' has overflowed its stack")
    }

    @Test(
        "text that only talks of panics is no crash",
        arguments: [
            "thread 'main' panicked at nothing in particular\n",
            "    thread 'main' panicked at src/main.rs:2:5:\n    an example in a manual\n",
            "/// thread 'main' panicked at src/main.rs:2:5:\n",
        ])
    func documentation(text: String) {
        #expect(recognize(text).kind == .log)
    }

    @Test("a message of several lines ends where the runtime's own lines begin")
    func messages() {
        let assertion = "assertion `left == right` failed: sums of x differ\n  left: 2\n right: 3"
        for end in [
            "\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n", "\nnext line\n",
        ] {
            let diagnosis = recognize("thread 'main' (7) panicked at src/main.rs:8:16:\n" + assertion + end)
            #expect(diagnosis.crash?.cause.message == assertion)
            #expect(diagnosis.crash?.crashedThread?.number == 7)
        }
        let lines = recognize("thread 'main' panicked at a.rs:1:2:\none\n\nthree\nstack backtrace:\n   0: a::main\n")
        #expect(lines.crash?.cause.message == "one\n\nthree")
        let old = recognize(
            "thread 'main' panicked at 'it's 'quoted'', src/main.rs:2:5\nnote: run with `RUST_BACKTRACE=1`\n")
        let logged = recognize("ERROR thread\nthread 'main' panicked at 'closed': src/main.rs:5\n")
        #expect(logged.crash?.cause.message == "closed")
        #expect(old.summary == "rust: panic 'it's 'quoted'' at main.rs:2:5 (thread main)")
    }

    @Test("the first of several panics is the cause, and one in a destructor aborts")
    func severalPanics() {
        let diagnosis = recognize(
            """
            thread 'worker-3' panicked at src/ledger.rs:3:52:
            index out of bounds: the len is 3 but the index is 8
            note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace

            thread 'main' panicked at src/main.rs:9:106:
            called `Result::unwrap()` on an `Err` value: Any { .. }
            thread 'main' panicked at library/core/src/panicking.rs:233:5:
            panic in a destructor during cleanup
            thread caused non-unwinding panic. aborting.
            Aborted (core dumped)
            """)
        #expect(diagnosis.crash?.crashedThread?.name == "worker-3")
        #expect(diagnosis.crash?.cause.signal == "SIGABRT")
    }

    @Test("a full stack loses its addresses and hashes, and the frames of the panic itself")
    func fullStack() throws {
        let text = """
            thread 'main' (6126) panicked at r.rs:3:52:
            index out of bounds: the len is 3 but the index is 7
            stack backtrace:
               0:     0x5641620df0ca - std[e28293b1aa0f68bd]::sys::backtrace::_print_fmt
                                           at /rustc/59807616/library/std/src/sys/backtrace.rs:74:9
               1:     0x5641620c17d9 - std[e28293b1aa0f68bd]::panicking::panic_handler::{closure#0}
               2:     0x5641620ca47d - __rustc[b7974e8690430dd9]::rust_begin_unwind
               3:     0x5641620f095c - core[c1f1a4ba060b9bfa]::panicking::panic_fmt
               4:     0x5641620b3674 - <usize as core::slice::index::SliceIndex<[T]>>::index::h70483325f25734a1
               5:     0x5641620adc4a - <till::Ledger as core::ops::drop::Drop>::drop::h4cc3b0439d234b70
                                           at /srv/till/src/r.rs:3:52
               6:     0x7ff18d07624a - __libc_start_call_main
            """
        let frames = try #require(recognize(text).crash?.crashedThread?.frames)
        #expect(
            frames.map(\.function) == [
                "<usize as core::slice::index::SliceIndex<[T]>>::index",
                "<till::Ledger as core::ops::drop::Drop>::drop", "__libc_start_call_main",
            ])
        #expect(frames.map(\.isOwn) == [false, true, false])
        #expect(frames[1].address == 0x5641_620a_dc4a)
        let again = text.replacing("0x564162", with: "0x55aaaa").replacing(
            "h4cc3b0439d234b70", with: "h1111111111111111")
        #expect(recognize(again).signature == recognize(text).signature)
        #expect(recognize(text.replacing("Ledger", with: "Till")).signature != recognize(text).signature)
    }

    @Test(
        "what the runtime aborts for without a panic is a crash",
        arguments: [
            ("fatal runtime error: Rust cannot catch foreign exceptions, aborting\n", "fatal runtime error"),
            ("memory allocation of 1099511627776 bytes failed\n", "allocation failure"),
        ])
    func runtimeErrors(text: String, type: String) {
        #expect(recognize("started\n" + text).crash?.cause.type == type)
        #expect(recognize("started\n" + text).crash?.cause.signal == "SIGABRT")
    }
}
