import Diagnosis
import Testing

@Suite("Deaths of Perl and Lua scripts")
struct PerlAndLuaTests {
    private static let confession = """
        no such item at bin/till.pl line 3.
        \tmain::settle(HASH(0x55d0), 1) called at bin/till.pl line 7
        \tShop::Cart::run() called at /usr/share/perl5/Shop/Cart.pm line 10

        """

    @Test("a stack of Carp names functions at their own places")
    func confess() throws {
        let diagnosis = recognize("starting\n" + Self.confession)
        #expect(diagnosis.format == "perl-die")
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.summary == "perl: die: no such item in main::settle at till.pl:3")
        let frames = try #require(diagnosis.crash?.crashedThread?.frames)
        #expect(frames.map(\.function) == ["main::settle", "Shop::Cart::run", nil])
        #expect(frames.map(\.line) == [3, 7, 10])
        #expect(frames.map(\.isOwn) == [true, true, false])
    }

    @Test("a script that goes on behind a stack has only warned")
    func cluck() {
        #expect(recognize(Self.confession + "next item\n").kind == .diagnostic)
    }

    @Test(
        "scripts that cannot be compiled die",
        arguments: [
            "Can't locate Shop.pm in @INC (@INC contains: /etc/perl) at till.pl line 1.\nBEGIN failed--compilation aborted at till.pl line 1.\n",
            "syntax error at till.pl line 1, at EOF\nExecution of till.pl aborted due to compilation errors.\n",
            "Uncaught exception from user code:\n\tboom at till.pl line 1.\n",
        ])
    func compilation(text: String) {
        #expect(recognize(text).kind == .crash)
        #expect(recognize(text).summary.hasSuffix(" at till.pl:1"))
        #expect(!recognize(text).summary.contains("/etc/perl"))
    }

    @Test("a Lua error names the program, the message and the functions")
    func lua() throws {
        let diagnosis = recognize(
            """
            /usr/bin/lua5.4: till.lua:3: attempt to index a nil value (local 'order')
            stack traceback:
            \ttill.lua:3: in function 'settle'
            \t/usr/share/lua/5.4/queue.lua:7: in function <queue.lua:5>
            \ttill.lua:8: in main chunk
            \t[C]: in ?

            """)
        #expect(diagnosis.format == "lua-error")
        #expect(diagnosis.kind == .crash)
        #expect(
            diagnosis.summary
                == "lua5.4: error: attempt to index a nil value (local 'order') in settle at till.lua:3")
        let frames = try #require(diagnosis.crash?.crashedThread?.frames)
        #expect(frames.map(\.function) == ["settle", nil, "main chunk", nil])
        #expect(frames.map(\.isOwn) == [true, false, true, false])
    }

    @Test(
        "warnings and text are no crash",
        arguments: [
            "Use of uninitialized value $x at till.pl line 3.\n",
            "\tmain::settle() called at till.pl line 7\n",
            "stack traceback:\n\ttill.lua:3: in function 'settle'\n",
            "E5108: Error executing lua a.lua:3: boom\nstack traceback:\n\ta.lua:3: in function 'settle'\n",
            "The interpreter prints a\nstack traceback:\nwith all functions.\n",
        ])
    func lookAlikes(text: String) {
        #expect(recognize(text).kind == .log)
    }
}
