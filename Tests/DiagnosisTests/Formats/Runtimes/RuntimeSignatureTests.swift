import Diagnosis
import Testing

@Suite("Signatures of runtimes' crashes")
struct RuntimeSignatureTests {
    /// A crash of one format in a function, as a run writes it.
    struct Sample: Sendable, CustomTestStringConvertible {
        let format: String
        let text: @Sendable (_ function: String, _ run: Int) -> String

        var testDescription: String { self.format }
    }

    static let samples = [
        Sample(format: "python-traceback") { function, run in
            """
            Traceback (most recent call last):
              File "/srv/till/rates.py", line \(run), in \(function)
                return TABLE[currency]
            KeyError: 'item \(run)'

            """
        },
        Sample(format: "python-faulthandler") { function, run in
            """
            Fatal Python error: Segmentation fault

            Current thread 0x00007fc930879b8\(run) (most recent call first):
              File "/srv/till/seg.py", line \(run) in \(function)

            """
        },
        Sample(format: "ruby-exception") { function, run in
            "till.rb:\(run):in 'Till#\(function)': item \(run) (KeyError)\n\tfrom till.rb:9:in '<main>'\n"
        },
        Sample(format: "ruby-bug") { function, run in
            """
            till.rb:1: [BUG] Segmentation fault at 0x000000000000005\(run)
            ruby 3.3.6 (2024-11-05 revision 75015d4c1f) [x86_64-linux]

            -- Ruby level backtrace information ----------------------------------------
            till.rb:\(run):in '\(function)'

            """
        },
        Sample(format: "php-error") { function, run in
            """
            [28-Nov-2026 08:13:0\(run) UTC] PHP Fatal error:  Uncaught TypeError: item \(run) in /srv/Cart.php:1\(run)
            Stack trace:
            #0 /srv/index.php(4\(run)): Cart->\(function)(\(run))
            #1 {main}
              thrown in /srv/Cart.php on line 1\(run)

            """
        },
        Sample(format: "node-uncaught") { function, run in
            "/srv/a.js:\(run)\nthrow e\n^\n\nError: item \(run)\n    at \(function) (/srv/a.js:\(run):7)\n\nNode.js v20.1.0\n"
        },
        Sample(format: "node-fatal") { function, run in
            """
            [9\(run):0x6d2c000]   18421\(run) ms: Mark-Compact 4044.1 (4131.0) -> 4040.9 (4131.2) MB

            FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory
             1: 0xb8d0a\(run) node::Abort() [node]

            ----- JavaScript stack trace -----

            1: \(function) (/srv/till/till.js:\(run):47)

            """
        },
        Sample(format: "deno-uncaught") { function, run in
            "error: Uncaught TypeError: item \(run)\n    at \(function) (file:///srv/a.ts:\(run):6)\n"
        },
        Sample(format: "bun-uncaught") { function, run in
            "\(run) | boom\n    ^\nTypeError: item\n      at \(function) (/srv/a.js:\(run):1)\n\nBun v1.1.34 (Linux x64)\n"
        },
        Sample(format: "jvm-exception") { function, run in
            "Exception in thread \"pool-\(run)\" java.lang.Error: \(run)\n\tat com.shop.Till.\(function)(Till.java:\(run))\n"
        },
        Sample(format: "dotnet-unhandled") { function, run in
            "Unhandled exception. System.Exception: \(run)\n   at Till.Cart.\(function)(Int32 n) in /a.cs:line \(run)\n"
        },
        Sample(format: "erlang-crash-dump") { function, run in
            """
            =erl_crash_dump:0.5
            Sat Nov 28 08:13:0\(run) 2026
            Slogan: eheap_alloc: Cannot allocate \(run)000 bytes of memory (of type "heap").
            =scheduler:1
            Current Process Program counter: 0x00007f2b5c0a123\(run) (till:\(function)/1 + 7\(run))
            =memory

            """
        },
        Sample(format: "erlang-report") { function, run in
            "Error in process <0.9\(run).0> with exit value:\n{badarith,[{till,\(function),1,[{file,\"a.erl\"},{line,\(run)}]}]}\n"
        },
        Sample(format: "elixir-exception") { function, run in
            "** (KeyError) item \(run)\n    (till 0.1.\(run)) lib/till.ex:\(run): Till.\(function)/1\n"
        },
        Sample(format: "perl-die") { function, run in
            "no item \(run) at till.pl line \(run).\n\tmain::\(function)(\(run)) called at till.pl line 1\(run)\n"
        },
        Sample(format: "lua-error") { function, run in
            "lua: till.lua:\(run): item \(run)\nstack traceback:\n\ttill.lua:\(run): in function '\(function)'\n\t[C]: in ?\n"
        },
    ]

    @Test("two runs of one fault have one signature, and faults in different functions have two", arguments: samples)
    func signatures(sample: Sample) throws {
        let first = recognize(sample.text("settle", 3))
        #expect(first.format == sample.format)
        let signature = try #require(first.signature)
        #expect(recognize(sample.text("settle", 4)).signature == signature)
        #expect(recognize(sample.text("refund", 3)).signature != signature)
    }

    @Test("each crash is found behind log lines, and behind the prefixes of a collector", arguments: samples)
    func prefixes(sample: Sample) {
        let text = sample.text("settle", 3)
        #expect(recognize("listening on port 8080\n\n" + text).format == sample.format)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        let prefixed = lines.map { "2026-11-28T08:21:39.004118302Z stderr F \($0)\n" }.joined()
        #expect(recognize("2026-11-28T08:21:38.004118302Z stdout F ready\n" + prefixed).format == sample.format)
        let journal = lines.map { "Nov 28 08:21:40 edge-3 tilld[3144]: \($0)\n" }.joined()
        #expect(recognize(journal).format == sample.format)
        #expect(recognize(journal).crash?.program == "tilld")
    }

    @Test("a crash that is cut anywhere does no harm and keeps its family or is text", arguments: samples)
    func cut(sample: Sample) {
        let bytes = Array(sample.text("settle", 3).utf8)
        let family = sample.format.prefix { $0 != "-" }
        for count in bytes.indices {
            let format = recognize(Array(bytes.prefix(count))).format
            #expect(format.hasPrefix(family) || format == "text" || format == "empty")
        }
    }
}
