import Foundation
import TestSupport
import Testing

/// A program of one runtime that dies in the way that its argument names: `error` (an error that nobody catches),
/// `native` (a fault or an abort below the language), `memory` (it takes memory for as long as it gets some), `kill`
/// (SIGKILL). Its own function is called `settle`.
struct RuntimeProgram: Sendable, CustomTestStringConvertible {
    let name: String
    /// The program file that makes or runs it; a machine without it has no such runtime.
    let tool: String
    /// The name of its source file.
    let file: String
    let source: String
    /// What makes a program of the file, in shell; `$tool` and `$file`.
    var build: String?
    /// What runs it, in shell words; `$tool`, `$file`.
    var command: [String] = ["./program"]

    var testDescription: String { name }

    /// Writes and builds it in a directory.
    /// - Returns: the command line; the way in which it is to die comes behind.
    /// - Throws: what the compiler says.
    func make(in directory: String, _ environment: [String: String]) async throws -> [String] {
        let tool = try #require(Self.path(of: tool), "needs \(tool)")
        try Data(source.utf8).write(to: URL(fileURLWithPath: "\(directory)/\(file)"))
        if let build {
            var environment = environment
            (environment["tool"], environment["file"]) = (tool, file)
            environment["PATH"] = ProcessInfo.processInfo.environment["PATH"]
            environment["HOME"] = ProcessInfo.processInfo.environment["HOME"]
            environment["GOCACHE"] = "\(directory)/cache"
            let result = try await runAsynchronously(
                "/bin/sh", ["-c", "cd '\(directory)' && \(build)"], environment: environment)
            guard result.status == 0 else { throw BuildFailed(words: result.errors) }
        }
        return command.map { word in
            switch word {
            case "$tool": tool
            case "$file": "\(directory)/\(file)"
            case "./program": "\(directory)/program"
            default: word.replacing("$directory", with: directory)
            }
        }
    }

    struct BuildFailed: Error { let words: String }

    var isInstalled: Bool { Self.path(of: tool) != nil }

    /// Compilers are in the user's PATH, whatever the programs get.
    private static func path(of tool: String) -> String? {
        let home = ProcessInfo.processInfo.environment["HOME"] ?? ""
        return findExecutable(tool) ?? findExecutable("\(home)/.cargo/bin/\(tool)")
    }

    static let all = [
        swift, c, cpp, addressSanitizer, rust, go, python, node, java, ruby, php, perl,
    ]

    static let swift = RuntimeProgram(
        name: "Swift", tool: "swiftc", file: "main.swift",
        source: """
            import Glibc
            struct TillIsEmpty: Error {}
            func settle(_ how: String) throws {
                switch how {
                case "error": throw TillIsEmpty()
                case "native": UnsafeMutablePointer<Int>(bitPattern: 8)!.pointee = 1
                case "memory":
                    var kept: [UnsafeMutableRawPointer] = []
                    while true {
                        let block = malloc(1 << 20)!
                        memset(block, 1, 1 << 20)
                        kept.append(block)
                    }
                default: kill(getpid(), SIGKILL)
                }
            }
            try settle(CommandLine.arguments[1])
            """, build: "\"$tool\" -g \"$file\" -o program")

    private static let cSource = """
        #include <signal.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <unistd.h>
        #include <assert.h>
        volatile int *nowhere = (int *)8;
        void settle(const char *how) {
            if (!strcmp(how, "error")) assert(!"the till is empty");
            if (!strcmp(how, "native")) *nowhere = 1;
            if (!strcmp(how, "memory")) for (;;) memset(malloc(1 << 20), 1, 1 << 20);
            kill(getpid(), SIGKILL);
        }
        int main(int count, char **words) { settle(words[1]); return 0; }
        """

    static let c = RuntimeProgram(
        name: "C", tool: "gcc", file: "shop.c", source: cSource,
        build: "\"$tool\" -g -O0 -w -rdynamic \"$file\" -o program")

    static let cpp = RuntimeProgram(
        name: "C++", tool: "g++", file: "shop.cpp",
        source: """
            #include <csignal>
            #include <cstdlib>
            #include <cstring>
            #include <stdexcept>
            #include <string>
            #include <unistd.h>
            volatile int *nowhere = (int *)8;
            void settle(const std::string &how) {
                if (how == "error") throw std::runtime_error("the till is empty");
                if (how == "native") *nowhere = 1;
                if (how == "memory") for (;;) memset(malloc(1 << 20), 1, 1 << 20);
                kill(getpid(), SIGKILL);
            }
            int main(int count, char **words) { settle(words[1]); }
            """, build: "\"$tool\" -g -O0 -w \"$file\" -o program")

    static let addressSanitizer = RuntimeProgram(
        name: "C with AddressSanitizer", tool: "gcc", file: "shop.c",
        source: cSource.replacing(
            "assert(!\"the till is empty\");", with: "{ char *till = malloc(8); free(till); till[0] = 1; }"),
        build: "\"$tool\" -fsanitize=address -g -O0 -w \"$file\" -o program")

    static let rust = RuntimeProgram(
        name: "Rust", tool: "rustc", file: "shop.rs",
        source: """
            extern "C" { fn kill(pid: i32, signal: i32) -> i32; }
            #[inline(never)]
            fn settle(how: &str) {
                match how {
                    "error" => panic!("the till is empty"),
                    "native" => unsafe { std::ptr::write_volatile(8 as *mut u64, 1) },
                    "memory" => {
                        let mut kept: Vec<Vec<u8>> = Vec::new();
                        loop { kept.push(vec![1u8; 1 << 20]); }
                    }
                    _ => unsafe { kill(std::process::id() as i32, 9); },
                }
            }
            fn main() { settle(&std::env::args().nth(1).unwrap()); }
            """, build: "\"$tool\" -g \"$file\" -o program")

    static let go = RuntimeProgram(
        name: "Go", tool: "go", file: "shop.go",
        source: """
            package main

            import (
            \t"os"
            \t"syscall"
            )

            var nowhere *int

            func settle(how string) {
            \tswitch how {
            \tcase "error":
            \t\tpanic("the till is empty")
            \tcase "native":
            \t\t*nowhere = 1
            \tcase "memory":
            \t\tkept := [][]byte{}
            \t\tfor {
            \t\t\tblock := make([]byte, 1<<20)
            \t\t\tfor i := range block {
            \t\t\t\tblock[i] = 1
            \t\t\t}
            \t\t\tkept = append(kept, block)
            \t\t}
            \tdefault:
            \t\tsyscall.Kill(os.Getpid(), syscall.SIGKILL)
            \t}
            }

            func main() { settle(os.Args[1]) }
            """, build: "GO111MODULE=off \"$tool\" build -o program \"$file\"")

    static let python = RuntimeProgram(
        name: "Python", tool: "python3", file: "shop.py",
        source: """
            import ctypes, os, signal, sys
            def settle(how):
                if how == "error": raise ValueError("the till is empty")
                if how == "native": ctypes.string_at(8)
                if how == "memory":
                    kept = []
                    while True: kept.append(bytearray(b"x" * (1 << 20)))
                os.kill(os.getpid(), signal.SIGKILL)
            settle(sys.argv[1])
            """, command: ["$tool", "$file"])

    static let node = RuntimeProgram(
        name: "Node", tool: "node", file: "shop.js",
        source: """
            function settle(how) {
              if (how === "error") throw new Error("the till is empty");
              if (how === "native") process.abort();
              if (how === "memory") { const kept = []; for (;;) kept.push(Buffer.alloc(1 << 20, 1)); }
              process.kill(process.pid, "SIGKILL");
            }
            settle(process.argv[2]);
            """, command: ["$tool", "$file"])

    static let java = RuntimeProgram(
        name: "Java", tool: "javac", file: "Shop.java",
        source: """
            import java.nio.ByteBuffer;
            import java.util.ArrayList;
            public class Shop {
                static void settle(String how) throws Exception {
                    switch (how) {
                        case "error": throw new IllegalStateException("the till is empty");
                        case "native":
                            var field = sun.misc.Unsafe.class.getDeclaredField("theUnsafe");
                            field.setAccessible(true);
                            ((sun.misc.Unsafe) field.get(null)).putLong(8L, 1L);
                            break;
                        case "memory":
                            var kept = new ArrayList<ByteBuffer>();
                            for (;;) {
                                var block = ByteBuffer.allocateDirect(1 << 20);
                                while (block.hasRemaining()) block.put((byte) 1);
                                kept.add(block);
                            }
                        default: ProcessHandle.current().pid();
                            Runtime.getRuntime().exec(new String[] {"kill", "-9", "" + ProcessHandle.current().pid()});
                            Thread.sleep(10000);
                    }
                }
                public static void main(String[] words) throws Exception { settle(words[0]); }
            }
            """, build: "\"$tool\" -nowarn \"$file\"",
        command: [
            "java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:MaxDirectMemorySize=4g", "-cp", "$directory",
            "Shop",
        ])

    static let ruby = RuntimeProgram(
        name: "Ruby", tool: "ruby", file: "shop.rb",
        source: """
            require "fiddle"
            def settle(how)
              raise "the till is empty" if how == "error"
              Fiddle::Pointer.new(8)[0] = 1 if how == "native"
              if how == "memory"
                kept = []
                loop { kept << "x" * (1 << 20) }
              end
              Process.kill(:KILL, Process.pid)
              sleep 10
            end
            settle(ARGV[0])
            """, command: ["$tool", "$file"])

    static let php = RuntimeProgram(
        name: "PHP", tool: "php", file: "shop.php",
        source: """
            <?php
            function settle($how) {
                if ($how == "error") throw new Exception("the till is empty");
                if ($how == "native") posix_kill(getmypid(), SIGSEGV);
                if ($how == "memory") { $kept = []; for (;;) $kept[] = str_repeat("x", 1 << 20); }
                posix_kill(getmypid(), SIGKILL);
            }
            settle($argv[1]);
            """, command: ["$tool", "-d", "memory_limit=-1", "$file"])

    static let perl = RuntimeProgram(
        name: "Perl", tool: "perl", file: "shop.pl",
        source: """
            sub settle {
                my ($how) = @_;
                die "the till is empty" if $how eq "error";
                kill SEGV => $$ if $how eq "native";
                if ($how eq "memory") { my @kept; push @kept, "x" x (1 << 20) while 1; }
                kill KILL => $$;
                sleep 10;
            }
            settle($ARGV[0]);
            """, command: ["$tool", "$file"])
}
