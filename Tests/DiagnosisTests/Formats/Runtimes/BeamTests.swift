import Diagnosis
import Testing

@Suite("Crashes of Erlang and Elixir")
struct BeamTests {
    private static let dump = """
        =erl_crash_dump:0.5
        Sat Nov 28 08:13:04 2026
        Slogan: Kernel pid terminated (application_controller) ({application_start_failure,till,{bad_return,{}}})
        System version: Erlang/OTP 27 [erts-15.1.2] [source] [64-bit] [smp:4:4]
        Taints: crypto
        =scheduler:1
        Current Process: <0.99.0>
        Current Process Program counter: 0x00007f2b5c0a1234 (till:price/1 + 72)
        Current Process Limited Stack Trace:
        0x00007f2b5c0a2000:SReturn addr 0x5C0A1300 (gen_server:loop/7 + 200)
        =memory
        total: 44873216
        =end

        """

    @Test("a crash dump gives the slogan, the version and the stack of the process that ran")
    func crashDump() throws {
        let diagnosis = recognize(Self.dump, name: "erl_crash.dump")
        #expect(diagnosis.format == "erlang-crash-dump")
        #expect(diagnosis.kind == .crash)
        let crash = try #require(diagnosis.crash)
        #expect(crash.cause.type == "Kernel pid terminated (application_controller)")
        #expect(crash.cause.message == "({application_start_failure,till,{bad_return,{}}})")
        #expect(crash.runtime == Crash.Runtime(name: "Erlang/OTP", version: "27"))
        #expect(crash.crashedThread?.frames.map(\.function) == ["till:price/1", "gen_server:loop/7"])
        #expect(crash.crashedThread?.frames.map(\.isOwn) == [true, false])
    }

    @Test("a dump that somebody asked for is no crash, and one without a slogan is no dump")
    func otherDumps() {
        let text = "=erl_crash_dump:0.5\nSat Nov 28 08:13:04 2026\nSlogan: Received SIGUSR1\n=end\n"
        #expect(recognize(text).kind == .diagnostic)
        #expect(recognize("=erl_crash_dump:0.5\n=end\n").kind == .log)
    }

    @Test("the notice on standard error gives the slogan")
    func notice() {
        let diagnosis = recognize(
            "init terminating in do_boot ({undef,[{till,start,[],[]}]})\n"
                + "Crash dump is being written to: erl_crash.dump...done\n")
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.summary == "erlang: init terminating in do_boot: ({undef,[{till,start,[],[]}]})")
    }

    @Test("a crash report gives the exception and the functions")
    func crashReport() throws {
        let diagnosis = recognize(
            """
            =CRASH REPORT==== 28-Nov-2026::08:13:04.123456 ===
              crasher:
                initial call: till:init/1
                pid: <0.99.0>
                registered_name: till
                exception error: no function clause matching till:price(undefined) (src/till.erl, line 12)
                  in function  gen_server:try_handle_call/4 (gen_server.erl, line 1131)
                  in call from till:run/2 (src/till.erl, line 40)

            """)
        #expect(diagnosis.format == "erlang-report")
        #expect(diagnosis.kind == .crash)
        let crash = try #require(diagnosis.crash)
        #expect(crash.cause.type == "exception error")
        #expect(crash.crashedThread?.name == "till")
        #expect(
            crash.crashedThread?.frames.map(\.function) == ["till:price", "gen_server:try_handle_call/4", "till:run/2"])
        #expect(crash.place?.line == 12)
    }

    @Test("the reason of a process is read as a term")
    func term() throws {
        let diagnosis = recognize(
            """
            Error in process <0.99.0> with exit value:
            {badarith,[{till,price,1,[{file,"src/till.erl"},{line,12}]},
                       {gen_server,loop,[a,{b}],[{file,"gen_server.erl"},{line,900}]}]}

            """)
        #expect(diagnosis.summary == "erlang: badarith in till:price/1 at till.erl:12")
        #expect(diagnosis.crash?.crashedThread?.name == "<0.99.0>")
    }

    @Test("an Elixir exception is read with applications and arguments apart")
    func elixir() throws {
        let diagnosis = recognize(
            """
            08:13:04.123 [error] Process #PID<0.99.0> raised an exception
            ** (KeyError) key :price not found in: %{name: "tea"}
                :erlang.map_get(:price, %{name: "tea"})
                (till 0.1.0) lib/till/cart.ex:12: Till.Cart.total/1
                (elixir 1.17.3) lib/enum.ex:2531: Enum.reduce(nil, 0)
                till.exs:6: (file)

            """)
        #expect(diagnosis.format == "elixir-exception")
        #expect(
            diagnosis.summary
                == "elixir: KeyError: key :price not found in: %{name: \"tea\"} in Till.Cart.total/1 at cart.ex:12")
        let frames = try #require(diagnosis.crash?.crashedThread?.frames)
        #expect(frames.map(\.function) == ["Till.Cart.total/1", "Enum.reduce", "(file)"])
        #expect(frames.map(\.isOwn) == [true, false, true])
    }

    @Test(
        "errors without a stack and examples are no crash",
        arguments: [
            "** (Mix) The task \"till\" could not be found\n",
            "iex> Till.total(nil)\n** (KeyError) key not found\n    (till 0.1.0) lib/till.ex:12: Till.total/1\n",
            "** Reason for termination ==\n** normal\n",
        ])
    func lookAlikes(text: String) {
        #expect(recognize(text).kind == .log)
    }

    @Test("an exception that ended a process is the cause: of a script it is a crash, of a request it is none")
    func exitByException() {
        let exception = "    ** (RuntimeError) no till\n        lib/till.ex:5: Till.open/1\n"
        let script = recognize("** (EXIT from #PID<0.98.0>) an exception was raised:\n" + exception)
        #expect(script.kind == .crash)
        #expect(script.summary == "elixir: RuntimeError: no till in Till.open/1 at till.ex:5")
        let request = recognize(
            "08:21:40.133 [error] #PID<0.500.0> running Till.Endpoint terminated\nRequest: GET /\n"
                + "** (exit) an exception was raised:\n" + exception + "08:21:41.123 [info] GET /ok\n")
        #expect(request.kind == .diagnostic)
        #expect(request.crash?.cause == Crash.Cause(type: "RuntimeError", message: "no till"))
    }
}
