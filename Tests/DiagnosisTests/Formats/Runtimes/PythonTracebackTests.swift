import Diagnosis
import Testing

@Suite("Exceptions of Python")
struct PythonTracebackTests {
    @Test("the type, the message and the stack are read behind log lines, with the program's own frames marked")
    func behindLogLines() throws {
        let diagnosis = recognize(
            """
            /srv/till/.venv/lib/python3.12/site-packages/feeds.py:41: DeprecationWarning: utcnow() is deprecated
              stamp = datetime.utcnow()
            2026-11-28 08:00:01,114 INFO  importer: 3 feeds configured
            Traceback (most recent call last):
              File "/srv/till/importer.py", line 212, in <module>
                run(load_config())
              File "/srv/till/importer.py", line 180, in run
                feed.apply(document)
                ~~~~~~~~~~^^^^^^^^^^
              File "/srv/till/.venv/lib/python3.12/site-packages/feeds.py", line 77, in apply
                self.items[sku].quantity -= sold
            KeyError: 'SKU-30991'

            """)
        #expect(diagnosis.format == "python-traceback")
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.summary == "python: KeyError: 'SKU-30991' in run at importer.py:180")
        let crash = try #require(diagnosis.crash)
        #expect(crash.cause == Crash.Cause(type: "KeyError", message: "'SKU-30991'"))
        #expect(crash.runtime == Crash.Runtime(name: "Python", version: "3.12"))
        #expect(crash.crashedThread?.frames.map(\.function) == ["apply", "run", "<module>"])
        #expect(crash.crashedThread?.frames.map(\.line) == [77, 180, 212])
        #expect(crash.crashedThread?.frames.map(\.isOwn) == [false, true, true])
    }

    private static func traceback(_ function: String, _ error: String) -> String {
        """
        Traceback (most recent call last):
          File "/srv/till/rates.py", line 19, in \(function)
            return TABLE[currency]
        \(error)

        """
    }

    @Test(
        "the last exception of a chain is the cause, whatever links it",
        arguments: [
            "During handling of the above exception, another exception occurred:",
            "The above exception was the direct cause of the following exception:",
        ])
    func chain(link: String) throws {
        let first = Self.traceback("lookup", "KeyError: 'CHW'")
        let last = Self.traceback("convert", "rates.RateError: no rate for CHW\nasked at noon\nwhile pricing cart 4711")
        let diagnosis = recognize("\(first)\n\(link)\n\n\(last)")
        #expect(diagnosis.summary == "python: rates.RateError: no rate for CHW in convert at rates.py:19")
        let crash = try #require(diagnosis.crash)
        #expect(crash.cause.message == "no rate for CHW\nasked at noon\nwhile pricing cart 4711")
        #expect(crash.earlierCauses.map(\.sentence) == ["KeyError: 'CHW'"])
        #expect(crash.earlierCauses[0].frames.map(\.function) == ["lookup"])
        #expect(crash.earlierCauses[0].frames.map(\.sourceLine) == ["return TABLE[currency]"])
        #expect(crash.crashedThread?.frames.count == 1)
    }

    @Test("exceptions that are not linked are no chain, and the last one counts")
    func severalPrograms() {
        let diagnosis = recognize(Self.traceback("f", "KeyError: 1") + "restarting\n" + Self.traceback("g", "OSError"))
        #expect(diagnosis.summary == "python: OSError in g at rates.py:19")
        #expect(diagnosis.crash?.earlierCauses == [])
    }

    @Test("the members of an exception group are its causes, in groups within it too")
    func group() throws {
        let diagnosis = recognize(
            """
              + Exception Group Traceback (most recent call last):
              |   File "/srv/till/worker.py", line 61, in drain
              |     async with asyncio.TaskGroup() as group:
              |   File "/usr/lib/python3.12/asyncio/taskgroups.py", line 145, in __aexit__
              |     raise me from None
              | ExceptionGroup: unhandled errors in a TaskGroup (2 sub-exceptions)
              +-+---------------- 1 ----------------
                | Traceback (most recent call last):
                |   File "/srv/till/mail.py", line 14, in flush
                |     await smtp.connect(host, 25)
                | ConnectionRefusedError: [Errno 111] Connect call failed
                +---------------- 2 ----------------
                | ExceptionGroup: two
            lines (1 sub-exception)
                +-+---------------- 1 ----------------
                  | till.Closed
                  +------------------------------------

            """)
        #expect(
            diagnosis.summary
                == "python: ExceptionGroup: unhandled errors in a TaskGroup (2 sub-exceptions) in drain at worker.py:61"
        )
        let crash = try #require(diagnosis.crash)
        #expect(crash.earlierCauses.map(\.type) == ["ConnectionRefusedError", "ExceptionGroup", "till.Closed"])
        #expect(crash.crashedThread?.frames.map(\.function) == ["__aexit__", "drain"])
    }

    @Test("an error of syntax has no traceback, but a place")
    func syntaxError() {
        let diagnosis = recognize(
            """
              File "/srv/till/report.py", line 9
                rows = [r for r in cursor
                       ^
            SyntaxError: '[' was never closed

            """)
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.summary == "python: SyntaxError: '[' was never closed at report.py:9")
    }

    @Test("an error of syntax in an imported module is placed there, and not where it is imported")
    func syntaxErrorInModule() {
        let diagnosis = recognize(
            """
            Traceback (most recent call last):
              File "/srv/till/main.py", line 1, in <module>
                import report
              File "/srv/till/report.py", line 9
                rows = [
                       ^
            SyntaxError: '[' was never closed

            """)
        #expect(diagnosis.summary == "python: SyntaxError: '[' was never closed at report.py:9")
    }

    @Test("the thread of an exception is named")
    func thread() {
        let diagnosis = recognize("Exception in thread Thread-1 (work):\n" + Self.traceback("work", "KeyError: 'x'"))
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.crash?.crashedThread?.name == "Thread-1 (work)")
    }

    @Test(
        "what Python or a server survives is a finding",
        arguments: [
            "Exception ignored in: <function Cart.__del__ at 0x7f6b16d52480>",
            """
            Task exception was never retrieved
            future: <Task finished name='Task-2' coro=<boom() done, defined at /srv/till/a.py:16> exception=KeyError(1)>
            """,
            "--- Logging error ---",
            "ERROR:    Exception in ASGI application",
        ])
    func survived(before: String) {
        let diagnosis = recognize(before + "\n" + Self.traceback("f", "KeyError: 1"))
        #expect(diagnosis.format == "python-traceback")
        #expect(diagnosis.kind == .diagnostic)
    }

    @Test("an exception that was logged is a finding if the log goes on, and a crash if it ends")
    func logged() {
        let log = "2026-11-28 08:00:04,730 ERROR importer: giving up\n" + Self.traceback("f", "KeyError: 1")
        #expect(recognize(log).kind == .crash)
        #expect(recognize(log + "2026-11-28 08:00:05,730 INFO importer: next feed\n").kind == .diagnostic)
        let handler = log.replacing("giving up", with: "Uncaught exception")
        #expect(recognize(handler + "2026-11-28 08:00:05,730 INFO importer: bye\n").kind == .crash)
        #expect(recognize(log + "2026-11-28 08:00:05,730 INFO gunicorn: Worker exiting\n").kind == .crash)
    }

    @Test("a chain that was logged is a finding as a whole")
    func loggedChain() {
        let link = "\nDuring handling of the above exception, another exception occurred:\n\n"
        let frames = String(repeating: "  File \"/srv/till/a.py\", line 1, in g\n    g()\n", count: 20)
        let first = Self.traceback("f", "KeyError: 1").replacing("last):\n", with: "last):\n" + frames)
        let chain = first + link + Self.traceback("g", "OSError: 2")
        #expect(recognize("ERROR:till:failed\n\(chain)INFO:till:next\n").kind == .diagnostic)
        #expect(recognize("ERROR:till:failed\n\(chain)INFO:till:next\n").crash?.earlierCauses.count == 1)
        #expect(recognize("INFO:till:started\n\(chain)INFO:till:started\n").kind == .crash)
    }

    @Test("a traceback that the end of the text cuts gives its frames")
    func cut() {
        let text = "Traceback (most recent call last):\n  File \"/x/a.py\", line 3, in f\n    g()\n"
        #expect(recognize(text).summary == "python: traceback in f at a.py:3")
        #expect(recognize(text).kind == .crash)
        #expect(recognize(text + "listening on port 80\n").kind == .log)
    }

    @Test("a traceback is read through the prefixes of syslog, which name the program")
    func syslog() {
        let lines = Self.traceback("f", "KeyError: 'x'").split(separator: "\n")
        let text = lines.map { "Nov 28 08:21:40 edge-3 pusherd[3144]: \($0)\n" }.joined()
        #expect(recognize(text).summary == "pusherd[3144]: KeyError: 'x' in f at rates.py:19")
        #expect(recognize(text).crash?.process == 3144)
    }

    @Test(
        "text that only talks of tracebacks is no crash",
        arguments: [
            "see the Traceback (most recent call last): in the log\n",
            "Traceback (most recent call last):\n    ...\nValueError: invalid\n",
            ">>> 1 / 0\nTraceback (most recent call last):\n  File \"<stdin>\", line 1, in <module>\nZeroDivisionError\n",
            "```\nTraceback (most recent call last):\n  File \"a.py\", line 1, in <module>\nZeroDivisionError\n```\n",
            "    Traceback (most recent call last):\n      File \"a.py\", line 1, in <module>\n    ZeroDivisionError\n",
            "SyntaxError: invalid syntax\n",
        ])
    func lookAlikes(text: String) {
        #expect(recognize(text).kind == .log)
        #expect(recognize(text).crash == nil)
    }
}
