import Diagnosis
import Testing

@Suite("Errors of PHP")
struct PHPTests {
    private static let exception = """
        Uncaught TypeError: Cart::add(): Argument #1 must be of type Item, null given in /srv/till/src/Cart.php:18
        Stack trace:
        #0 /srv/till/vendor/router/Router.php(44): Cart->add()
        #1 [internal function]: {closure:/srv/till/index.php:7}(Array, 'a (b)')
        #2 /srv/till/public/index.php(9): App\\Kernel->handle(Object(Request))
        #3 {main}
          thrown in /srv/till/src/Cart.php on line 18

        """

    @Test(
        "an exception is read with each title that PHP and servers give it",
        arguments: [
            "PHP Fatal error:  ", "Fatal error: ", "[28-Nov-2026 08:13:04 UTC] PHP Fatal error:  ",
            "[28-Nov-2026 08:13:04] WARNING: [pool www] child 12 said into stderr: \"NOTICE: PHP message: PHP Fatal error:  ",
            "2026/11/28 08:13:04 [error] 12#12: *1 FastCGI sent in stderr: \"PHP message: PHP Fatal error:  ",
        ])
    func exception(title: String) throws {
        let diagnosis = recognize("\(title)\(Self.exception)")
        #expect(diagnosis.format == "php-error")
        #expect(diagnosis.kind == .crash)
        #expect(
            diagnosis.summary
                == "php: TypeError: Cart::add(): Argument #1 must be of type Item, null given in Cart->add at Cart.php:18"
        )
        let frames = try #require(diagnosis.crash?.crashedThread?.frames)
        #expect(
            frames.map(\.function)
                == ["Cart->add", "{closure:/srv/till/index.php:7}", "App\\Kernel->handle", "{main}"])
        #expect(frames.map(\.line) == [18, 44, nil, 9])
        #expect(frames.map(\.isOwn) == [true, false, false, true])
    }

    @Test("Apache writes all lines as one")
    func oneLine() {
        let text = Self.exception.split(separator: "\n").joined(separator: "\\n")
        let diagnosis = recognize("[php:error] [pid 12] [client 192.0.2.1:5] PHP Fatal error:  \(text)\n")
        #expect(diagnosis.crash?.cause.type == "TypeError")
        #expect(diagnosis.crash?.crashedThread?.frames.count == 4)
    }

    @Test("the last exception of a chain is the cause")
    func chain() throws {
        let crash = try #require(
            recognize(
                """
                PHP Fatal error:  Uncaught PDOException: no connection in /srv/till/Store.php:7
                Stack trace:
                #0 {main}

                Next App\\StoreError: cannot save
                the cart in /srv/till/Cart.php:20
                Stack trace:
                #0 /srv/till/index.php(3): Cart->save()
                #1 {main}
                  thrown in /srv/till/Cart.php on line 20

                """
            ).crash)
        #expect(crash.cause == Crash.Cause(type: "App\\StoreError", message: "cannot save\nthe cart"))
        #expect(crash.earlierCauses == [Crash.Cause(type: "PDOException", message: "no connection")])
        #expect(crash.place?.function == "Cart->save")
    }

    @Test(
        "errors that are no exceptions have a place",
        arguments: [
            (
                "PHP Fatal error:  Allowed memory size of 134217728 bytes exhausted (tried to allocate 20480 bytes)",
                "php: Fatal error: Allowed memory size of 134217728 bytes exhausted (tried to allocate 20480 bytes) at Cart.php:9"
            ),
            (
                "PHP Parse error:  syntax error, unexpected token \"}\"",
                "php: Parse error: syntax error, unexpected token \"}\" at Cart.php:9"
            ),
        ])
    func others(title: String, summary: String) {
        #expect(recognize("\(title) in /srv/till/Cart.php on line 9\n").summary == summary)
        #expect(recognize("\(title) in /srv/till/Cart.php on line 9\n").kind == .crash)
    }

    @Test(
        "warnings and text that only looks like it are no crash",
        arguments: [
            "PHP Warning:  Undefined variable $x in /srv/till/Cart.php on line 9\n",
            "PHP Fatal error:  Uncaught exceptions are shown like this\n",
            "[error] PHP Fatal error: see the log\n",
        ])
    func lookAlikes(text: String) {
        #expect(recognize(text).kind == .log)
    }
}
