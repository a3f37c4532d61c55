import Diagnosis
import Testing

@Suite("Errors of JavaScript runtimes")
struct JavaScriptTests {
    @Test("an error with source code before it and a version behind it is read, and runtime and packages are not own")
    func uncaught() throws {
        let diagnosis = recognize(
            """
            listening on 8080
            /srv/till/cart.js:31
              return order.lines.reduce((sum, l) => sum + l.price.total, 0);
                                                                 ^

            TypeError [ERR_TILL]: Cannot read properties of undefined
            (reading 'total')
                at Array.reduce (<anonymous>)
                at async Cart.checkout [as pay] (file:///srv/till/cart.js:31:22)
                at run (/srv/till/node_modules/queue/index.js:3:5)
                at process.processTicksAndRejections (node:internal/process/task_queues:95:5) {
              [cause]: Error: connection lost
                  at read (/srv/till/net.js:1:25)
            }

            Node.js v22.11.0

            """)
        #expect(diagnosis.format == "node-uncaught")
        #expect(diagnosis.kind == .crash)
        #expect(
            diagnosis.summary == "node: TypeError: Cannot read properties of undefined in Cart.checkout at cart.js:31")
        let crash = try #require(diagnosis.crash)
        #expect(crash.cause.message == "Cannot read properties of undefined\n(reading 'total')")
        #expect(crash.cause.code == "ERR_TILL")
        #expect(crash.earlierCauses == [Crash.Cause(type: "Error", message: "connection lost")])
        #expect(crash.runtime == Crash.Runtime(name: "Node.js", version: "22.11.0"))
        #expect(crash.crashedThread?.frames.map(\.isOwn) == [false, true, false, false])
        #expect(crash.crashedThread?.frames[1].file == "/srv/till/cart.js")
        #expect(crash.crashedThread?.frames[1].column == 22)
    }

    @Test("the code among an error's properties is kept, and Node.js before 17 wrote no version")
    func properties() {
        let diagnosis = recognize(
            """
            node:fs:448
                return binding.readFileUtf8(path, stringToFlags(options.flag));
                               ^

            Error: ENOENT: no such file or directory, open '/srv/till/settings.json'
                at Object.readFileSync (node:fs:448:20)
                at load (/srv/till/settings.js:2:29) {
              errno: -2,
              code: 'ENOENT',
            }

            """)
        #expect(diagnosis.crash?.cause.code == "ENOENT")
        #expect(
            diagnosis.summary
                == "node: Error: ENOENT: no such file or directory, open '/srv/till/settings.json' in load at settings.js:2"
        )
    }

    @Test("the stack of an event that nobody handled is not that of the error")
    func event() throws {
        let crash = try #require(
            recognize(
                """
                node:events:491
                      throw er; // Unhandled 'error' event
                      ^

                Error: listen EADDRINUSE: address already in use :::8080
                    at Server.setupListenHandle [as _listen2] (node:net:1463:16)
                    at open (/srv/till/server.js:7:3)
                    ... 2 lines matching cause stack trace ...
                    at node:internal/main/run_main_module:22:47
                Emitted 'error' event on Server instance at:
                    at emitErrorNT (node:net:1442:8) {
                  code: 'EADDRINUSE',
                  errno: -98
                }

                Node.js v18.19.0

                """
            ).crash)
        #expect(crash.cause.code == "EADDRINUSE")
        #expect(crash.crashedThread?.frames.map(\.function) == ["Server.setupListenHandle", "open", nil])
    }

    @Test("a value that is no error is its own message")
    func value() {
        let diagnosis = recognize(
            """

            /srv/till/cart.js:1
            throw 'no lines';
            ^
            no lines
            (Use `node --trace-uncaught ...` to show where the exception was thrown)

            Node.js v20.20.2

            """)
        #expect(diagnosis.summary == "node: uncaught exception: no lines at cart.js:1")
    }

    @Test("an unhandled rejection of such a value names the value")
    func rejection() {
        let diagnosis = recognize(
            """
            node:internal/process/promises:288
                        triggerUncaughtException(err, true /* fromPromise */);
                        ^

            [UnhandledPromiseRejection: This error originated either by throwing inside of an async function without a \
            catch block, or by rejecting a promise which was not handled with .catch(). The promise rejected with the \
            reason "no lines".] {
              code: 'ERR_UNHANDLED_REJECTION'
            }

            Node.js v18.19.0

            """)
        #expect(diagnosis.crash?.cause.message == "\"no lines\"")
        #expect(diagnosis.crash?.cause.code == "ERR_UNHANDLED_REJECTION")
        #expect(diagnosis.kind == .crash)
    }

    @Test("the members of an AggregateError are its causes, and their stacks are not its stack")
    func aggregate() throws {
        let crash = try #require(
            recognize(
                """
                node:internal/process/promises:391
                    triggerUncaughtException(err, true /* fromPromise */);
                    ^

                [AggregateError: All promises were rejected] {
                  [errors]: [
                    Error: a
                        at first (/srv/till/a.js:1:29),
                    RangeError: b
                        at second (/srv/till/a.js:1:60)
                  ]
                }

                Node.js v20.20.2

                """
            ).crash)
        #expect(crash.cause == Crash.Cause(type: "AggregateError", message: "All promises were rejected"))
        #expect(crash.earlierCauses.map(\.type) == ["Error", "RangeError"])
        #expect(crash.crashedThread?.frames.contains { $0.function == "second" } == false)
    }

    @Test("Electron has a title, and no source code")
    func electron() {
        let diagnosis = recognize("Uncaught Exception:\nTypeError: no lines\n    at pay (/srv/till/main.js:7:3)\n")
        #expect(diagnosis.summary == "node: TypeError: no lines in pay at main.js:7")
        #expect(diagnosis.kind == .crash)
    }

    @Test("a rejection that Node.js only warns about is a finding")
    func warning() {
        let diagnosis = recognize(
            "(node:1234) UnhandledPromiseRejectionWarning: Error: lost\n    at read (/srv/till/net.js:1:27)\n")
        #expect(diagnosis.kind == .diagnostic)
        #expect(diagnosis.summary == "node[1234]: Error: lost in read at net.js:1")
    }

    @Test("Deno and Bun have forms of their own")
    func others() {
        let deno = recognize(
            """
            error: Uncaught (in promise) TypeError: Cannot read properties of null
              order.lines
                    ^
                at pay (file:///srv/till/cart.ts:2:6)
                at ext:core/01_core.js:3:4

            """)
        #expect(deno.format == "deno-uncaught")
        #expect(deno.summary == "deno: TypeError: Cannot read properties of null in pay at cart.ts:2")
        let bun = recognize(
            """
            1 | const order = null;
            2 | order.lines
                ^
            TypeError: null is not an object (evaluating 'order.lines')
                  at pay (/srv/till/cart.js:2:1)

            Bun v1.1.34 (Linux x64)

            """)
        #expect(bun.summary == "bun: TypeError: null is not an object (evaluating 'order.lines') in pay at cart.js:2")
        #expect(bun.crash?.runtime?.version == "1.1.34")
    }

    @Test("running out of memory names the process and both stacks")
    func outOfMemory() throws {
        let diagnosis = recognize(
            """
            [90:0x6d2c000]   184211 ms: Mark-Compact 4044.1 (4131.0) -> 4040.9 (4131.2) MB, 1842.02 / 0.00 ms


            <--- JS stacktrace --->

            FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory
            ----- Native stack trace -----

             1: 0xb8d0a3 node::OOMErrorHandler(char const*, v8::OOMDetails const&) [node]
             2: 0x10fb205  [node]

            ----- JavaScript stack trace -----

            1: settle (/srv/till/till.js:2:47)
            2: node:internal/main/run_main_module:28:49

            """)
        #expect(diagnosis.format == "node-fatal")
        #expect(
            diagnosis.summary
                == "node[90]: FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory in settle at till.js:2"
        )
        let frames = try #require(diagnosis.crash?.crashedThread?.frames)
        #expect(frames.map(\.isOwn) == [false, false, true, false])
        #expect(frames.first?.address == 0xb8d0a3)
        #expect(frames.first?.module == "node")
    }

    @Test("failed checks of V8 and of Node.js name the check")
    func checks() {
        let check = recognize(
            "#\n# Fatal error in , line 0\n# Check failed: !isolate->has_exception().\n#\n#\n"
                + "#\n#FailureMessage Object: 0x7ffe\n----- Native stack trace -----\n\n 1: 0xe1 f [node]\n")
        #expect(check.summary == "node: Fatal error: Check failed: !isolate->has_exception().")
        let assertion = recognize(
            "  #  node[1234]: static void node::f() at ../src/x.cc:81\n  #  Assertion failed: args[0]->IsString()\n\n"
                + "----- Native stack trace -----\n\n 1: 0xe1 node::Assert(node::AssertionInfo const&) [node]\n")
        #expect(assertion.crash?.cause == Crash.Cause(type: "Assertion failed", message: "args[0]->IsString()"))
    }

    @Test(
        "errors that were logged and examples are no crash",
        arguments: [
            "Error: lost\n    at read (/srv/till/net.js:1:27)\nnext request\n",
            "$ node cart.js\n/srv/till/cart.js:1\nthrow new Error('x');\n^\n\nError: x\n    at f (/srv/till/cart.js:1:7)\n",
            "cart.c:31:5: error: expected ';'\n  return 1\n          ^\n    at (the end of) the line\n",
            "FATAL ERROR: cannot read the configuration\nbye\n",
            "Node.js v20.20.2\n",
        ])
    func lookAlikes(text: String) {
        #expect(recognize(text).kind == .log)
    }
}
