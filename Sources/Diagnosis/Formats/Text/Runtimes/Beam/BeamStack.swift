/// The stacks of Erlang and Elixir, which run on the same machine.
enum BeamStack {
    /// A frame of Elixir: `    (app 0.1.0) lib/foo.ex:12: Foo.bar/1`, or without the application.
    static func elixirFrame(_ line: ArraySlice<UInt8>) -> Crash.Frame? {
        guard line.first == 0x20 else { return nil }
        var content = line.trimmed
        var application: ArraySlice<UInt8>?
        if let inner = content.dropping("("), let end = inner.range(of: ") ") {
            application = inner[..<end.lowerBound]
            content = inner[end.upperBound...]
        }
        let name = application?.prefix { $0 > 0x20 }.text
        guard let colon = content.range(of: ": "), let location = SourceLocation(content[..<colon.lowerBound]) else {
            // Functions that are compiled into the machine have no place: `:erlang.+(1, :a)`.
            guard application != nil, let end = content.firstIndex(of: UInt8(ascii: "(")) ?? content.lastIndex(of: 0x2f)
            else { return nil }
            return Crash.Frame(function: content[..<end].text, module: name, isOwn: false)
        }
        let isOwn = name.map { !self.applications.contains($0) } ?? true
        let function = self.withoutArguments(content[colon.upperBound...])
        return Crash.Frame(
            function: function.text.nonEmpty, file: location.file, line: location.line, module: name,
            isOwn: isOwn && !location.file.hasPrefix("deps/") && !location.file.contains("/deps/"))
    }

    /// A frame whose function was called with the wrong arguments shows them: `Foo.bar(1, nil)`.
    private static func withoutArguments(_ call: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard call.last == UInt8(ascii: ")"), call.first != UInt8(ascii: "("),
            let opening = call.firstIndex(of: UInt8(ascii: "("))
        else { return call }
        return call[..<opening]
    }

    private static let applications: Set<String> = [
        "elixir", "stdlib", "kernel", "erts", "mix", "logger", "ex_unit", "iex", "eex", "compiler", "crypto", "ssl",
        "inets", "mnesia", "phoenix", "plug", "plug_cowboy", "cowboy", "ranch", "bandit", "thousand_island", "ecto",
        "ecto_sql", "db_connection", "postgrex", "telemetry", "gen_stage", "oban", "phoenix_live_view",
    ]

    /// The frames in a term of Erlang: `{M,F,A,[{file,"F"},{line,N}]}`, the innermost first.
    static func erlangFrames(in text: ArraySlice<UInt8>) -> [Crash.Frame] {
        var frames: [Crash.Frame] = []
        var rest = text
        while frames.count < Crash.Bounds.frameCount, let file = rest.range(of: ",[{file,") {
            let call = rest[..<file.lowerBound]
            guard let opening = call.lastIndex(of: UInt8(ascii: "{")) else { break }
            let parts = call[(opening + 1)...].split(separator: UInt8(ascii: ","), maxSplits: 2)
            let behind = rest[file.upperBound...]
            if parts.count == 3, let path = behind.between("\"", "\""), let line = behind.after("{line,")?.leadingDigits
            {
                let name = "\(parts[0].trimmed.text):\(parts[1].trimmed.text)"
                frames.append(self.erlangFrame(name, arity: parts[2], file: path.text, line: line.decimalNumber))
            }
            rest = behind
        }
        return frames
    }

    /// A frame of Erlang. The arity is a number, or the list of arguments, which are left out.
    static func erlangFrame(
        _ name: String, arity: ArraySlice<UInt8>, file: String? = nil, line: Int64? = nil
    ) -> Crash.Frame {
        let number = arity.trimmed.decimalNumber.map { "/\($0)" } ?? ""
        let module = name.prefix { $0 != ":" }
        return Crash.Frame(
            function: name + number, file: file, line: line, module: String(module),
            isOwn: !self.modules.contains(String(module)))
    }

    /// Modules of the machine and of its standard library that stand on the stacks of nearly all processes.
    private static let modules: Set<String> = [
        "erlang", "erts_internal", "init", "erl_eval", "erl_prim_loader", "prim_file", "prim_inet", "gen", "gen_server",
        "gen_statem", "gen_event", "gen_fsm", "gen_tcp", "gen_udp", "proc_lib", "supervisor", "supervisor_bridge",
        "application", "application_controller", "application_master", "lists", "maps", "dict", "ets", "dets", "io",
        "io_lib", "file", "file_server", "code", "code_server", "error_handler", "error_logger", "logger", "timer",
        "rpc", "group", "shell", "user_drv", "ssl", "tls_connection", "inet", "string", "binary", "re", "rand", "queue",
        "gb_trees", "gb_sets", "sets", "orddict", "proplists", "filelib", "filename", "unicode", "erl_scan", "global",
        "net_kernel", "kernel", "heart", "mnesia", "mnesia_tm", "cowboy_stream_h", "ranch_conns_sup", "escript",
    ]
}
