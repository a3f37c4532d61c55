import Diagnosis
import Testing

@Suite("Exceptions and faults of Ruby")
struct RubyTests {
    @Test(
        "the exception and its callers are read with old and new quotation marks",
        arguments: [
            """
            /srv/till/lib/ledger.rb:41:in `fetch': key not found: :total (KeyError)
            \tfrom /srv/till/lib/ledger.rb:41:in `post'
            \tfrom /var/lib/gems/3.2.0/gems/rack-3.0.8/lib/rack.rb:12:in `call'
            \tfrom /srv/till/bin/till:9:in `<main>'

            """,
            """
            /srv/till/lib/ledger.rb:41:in 'fetch': key not found: :total (KeyError)
            \tfrom /srv/till/lib/ledger.rb:41:in 'post'
            \tfrom /var/lib/gems/3.2.0/gems/rack-3.0.8/lib/rack.rb:12:in 'call'
            \tfrom /srv/till/bin/till:9:in '<main>'

            """,
        ])
    func exception(text: String) throws {
        let diagnosis = recognize("I, [2026-11-28T08:13:04.1 #12] INFO -- : started\n" + text)
        #expect(diagnosis.format == "ruby-exception")
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.summary == "ruby: KeyError: key not found: :total in post at ledger.rb:41")
        let crash = try #require(diagnosis.crash)
        #expect(crash.cause == Crash.Cause(type: "KeyError", message: "key not found: :total"))
        #expect(crash.crashedThread?.frames.map(\.function) == ["fetch", "post", "call", "<main>"])
        #expect(crash.crashedThread?.frames.map(\.isOwn) == [false, true, false, true])
    }

    @Test("the lines of a terminal, which stand in the opposite order, give the same stack")
    func reversed() throws {
        let diagnosis = recognize(
            """
            Traceback (most recent call last):
            \t2: from /srv/till/bin/till:9:in `<main>'
            \t1: from /srv/till/lib/ledger.rb:40:in `post'
            /srv/till/lib/ledger.rb:12:in `total': key not found: :total (KeyError)

            """)
        #expect(diagnosis.summary == "ruby: KeyError: key not found: :total in total at ledger.rb:12")
        #expect(diagnosis.crash?.crashedThread?.frames.map(\.function) == ["total", "post", "<main>"])
    }

    @Test("the cause of an exception follows it, and code that Ruby shows belongs to the message")
    func causes() throws {
        let crash = try #require(
            recognize(
                """
                till.rb:6:in 'Till#rescue in run': cannot pay (PaymentError)
                \tfrom till.rb:9:in '<main>'
                till.rb:2:in 'Till#run': undefined method 'total' for nil (NoMethodError)

                    order.total
                         ^^^^^^
                \tfrom till.rb:9:in '<main>'

                """
            ).crash)
        #expect(crash.cause == Crash.Cause(type: "PaymentError", message: "cannot pay"))
        #expect(crash.earlierCauses.map(\.type) == ["NoMethodError"])
        #expect(crash.place?.function == "Till#rescue in run")
    }

    @Test("an exception outside of all methods, one without a message, and an error of syntax are read")
    func shortForms() {
        #expect(
            recognize("till.rb:1:in '<main>': boom (RuntimeError)\n").summary
                == "ruby: RuntimeError: boom in <main> at till.rb:1")
        #expect(recognize("till.rb:1:in `<main>': unhandled exception\n").crash?.cause.type == "RuntimeError")
        #expect(
            recognize("till.rb:2: syntax error, unexpected end-of-input (SyntaxError)\n").summary
                == "ruby: SyntaxError: syntax error, unexpected end-of-input at till.rb:2")
    }

    @Test("what ended a thread is raised again in the thread that waits for it, and is no cause")
    func thread() {
        let diagnosis = recognize(
            """
            #<Thread:0x00007f1a2c0a till.rb:1 run> terminated with exception (report_on_exception is true):
            till.rb:1:in 'block in Till#run': boom (RuntimeError)
            till.rb:1:in 'block in Till#run': boom (RuntimeError)

            """)
        #expect(diagnosis.summary == "ruby: RuntimeError: boom in block in Till#run at till.rb:1")
        #expect(diagnosis.crash?.earlierCauses == [])
    }

    @Test("a deep recursion is read over the line that counts what is left out")
    func recursion() {
        let diagnosis = recognize(
            """
            till.rb:1:in 'Till#f': stack level too deep (SystemStackError)
            \tfrom till.rb:1:in 'Till#f'
            \t ... 10067 levels...
            \tfrom till.rb:2:in '<main>'

            """)
        #expect(diagnosis.crash?.cause.type == "SystemStackError")
        #expect(diagnosis.crash?.crashedThread?.frames.count == 3)
        #expect(diagnosis.crash?.place?.function == "Till#f")
    }

    @Test("a fault of the interpreter gives the signal, the address, the script, the version and its stack")
    func bug() throws {
        let diagnosis = recognize(
            """
            /srv/till/lib/codec.rb:12: [BUG] Segmentation fault at 0x0000000000000050
            ruby 3.3.6 (2024-11-05 revision 75015d4c1f) [x86_64-linux]

            -- Control frame information -----------------------------------------------
            c:0003 p:---- s:0011 e:000010 CFUNC  :decode

            -- Ruby level backtrace information ----------------------------------------
            /srv/till/bin/till:5:in `<main>'
            /srv/till/lib/codec.rb:12:in `load'
            /srv/till/lib/codec.rb:12:in `decode'

            -- C level backtrace information -------------------------------------------
            /usr/lib/libruby.so.3.3(rb_vm_bugreport+0x5a3) [0x7f5c1e2d9d03] vm_dump.c:1140
            /lib/x86_64-linux-gnu/libc.so.6(__restore_rt+0x0) [0x7f5c1d57a050]
            ruby(0x55d96b94b10b) [0x55d96b94b10b]
            ruby(_start+0x21) [0x55d96b94b151]

            -- Other runtime information -----------------------------------------------

            * Loaded script: /srv/till/bin/till

            """)
        #expect(diagnosis.format == "ruby-bug")
        #expect(
            diagnosis.summary == "till: [BUG]: Segmentation fault at 0x0000000000000050 in load at codec.rb:12")
        let crash = try #require(diagnosis.crash)
        #expect(crash.cause.signal == "SIGSEGV")
        #expect(crash.cause.address == 0x50)
        #expect(crash.runtime == Crash.Runtime(name: "Ruby", version: "3.3.6"))
        #expect(crash.system.architecture == "x86_64")
        #expect(crash.crashedThread?.frames.map(\.function) == ["decode", "load", "<main>"])
    }

    @Test("without a stack of the script that of the interpreter is read")
    func nativeStack() throws {
        let crash = try #require(
            recognize(
                """
                [BUG] Segmentation fault at 0x0000000000000050
                ruby 3.3.6 (2024-11-05 revision 75015d4c1f) [x86_64-linux]

                -- C level backtrace information -------------------------------------------
                /usr/lib/libruby.so.3.3(rb_vm_bugreport+0x5a3) [0x7f5c1e2d9d03] vm_dump.c:1140
                /srv/till/ext/codec.so(decode+0x12) [0x7f5c1e000012]

                """
            ).crash)
        #expect(crash.crashedThread?.frames.map(\.function) == ["rb_vm_bugreport", "decode"])
        #expect(crash.crashedThread?.frames.map(\.isOwn) == [false, true])
        #expect(crash.crashedThread?.frames.last?.address == 0x7f5c_1e00_0012)
    }

    @Test(
        "text that only looks like it is no crash",
        arguments: [
            "lib/till.rb:3:in `post': something to look at\n\tfrom here on\n",
            "lib/till.rb:3:in `post': key not found (KeyError)\n",
            "  till.rb:1:in '<main>': boom (RuntimeError)\n",
            "irb(main):001:0> boom\ntill.rb:1:in '<main>': boom (RuntimeError)\n",
            "till.rb:3: [BUG] is what Ruby prints\n",
        ])
    func lookAlikes(text: String) {
        #expect(recognize(text).kind == .log)
    }
}
