import Diagnosis
import Testing

@Suite("Documents that are larger than the window")
struct LargeDocumentTests {
    private static let windowByteCount = PayloadWindow.headByteCount + PayloadWindow.tailByteCount
    private let error = #"""
        {"type":"nsexception","nsexception":{"name":"NSRangeException"},"reason":"say \"{\\\"crash\\\":1}\""}
        """#
    private let threads = """
        [{"index":0,"crashed":true,"backtrace":{"contents":[
          {"object_name":"Shop","symbol_name":"restock","instruction_addr":1}]}}]
        """
    private let system = #"{"process_name":"Shop"}"#

    /// More than a window of values, each with brackets and quotes in its text.
    private func filling(_ item: String) -> String {
        Array(repeating: item, count: Self.windowByteCount / item.utf8.count + 10).joined(separator: ",")
    }

    private func images() -> String {
        let name = #"/System/X, \"crash\": {[\\"#
        let item = #"{"image_addr":4362076160,"image_size":262144,"name":"\#(name)","uuid":"0F6D2F7E"}"#
        return #""binary_images":[\#(self.filling(item))]"#
    }

    @Test("the crash of KSCrash is told before and behind thousands of images")
    func anyOrder() {
        let crash = #""crash":{"error":\#(self.error),"threads":\#(self.threads)}"#
        let system = #""system":\#(self.system)"#
        for members in [
            [crash, system, self.images()], [self.images(), crash, system], [system, self.images(), crash],
        ] {
            let diagnosis = recognize("{" + members.joined(separator: ",\n") + "}\n")
            #expect(diagnosis.format == "kscrash")
            #expect(diagnosis.contentType == "application/json")
            #expect(diagnosis.summary == #"Shop: NSRangeException: say "{\"crash\":1}" in restock"#)
        }
    }

    @Test("the error of KSCrash is told behind thousands of threads")
    func errorBehindThreads() {
        let frame = #"{"object_name":"Shop","symbol_name":"-[A b]","instruction_addr":4362076160}"#
        let thread = #"{"index":1,"backtrace":{"contents":[\#(self.filling(frame))]}}"#
        for images in ["", self.images() + ","] {
            let head = #"{"system":\#(self.system),\#(images)"crash":{"threads":[\#(thread)]"#
            let diagnosis = recognize(head + #","error":\#(self.error)}}"#)
            #expect(diagnosis.format == "kscrash")
            #expect(diagnosis.summary.hasPrefix("Shop: NSRangeException: say"))
        }
    }

    private let hang = #"{"diagnosticMetaData":{"hangDuration":"20 sec","bundleIdentifier":"com.example.Shop"}}"#
    private let metadata = #"{"signal":11,"exceptionType":1,"bundleIdentifier":"com.example.Shop","appVersion":"4.1"}"#

    @Test("crashes of MetricKit are told behind thousands of hangs")
    func crashesLast() {
        let frame = #"{"binaryName":"Shop","address":200,"offsetIntoBinaryTextSegment":100}"#
        let stack = #"{"threadAttributed":true,"callStackRootFrames":[\#(frame)]}"#
        let tree = #"{"callStackPerThread":true,"callStacks":[\#(stack)]}"#
        let crash = #"{"callStackTree":\#(tree),"diagnosticMetaData":\#(self.metadata)}"#
        let diagnosis = recognize(
            #"{"timeStampBegin":"a","hangDiagnostics":[\#(self.filling(self.hang))],"crashDiagnostics":[\#(crash)]}"#)
        #expect(diagnosis.format == "metrickit")
        #expect(diagnosis.kind == .crash)
        #expect(diagnosis.crash?.cause.type == "EXC_BAD_ACCESS")
        #expect(diagnosis.crash?.crashedThread?.frames.first?.moduleOffset == 100)
    }

    @Test("a crash of MetricKit whose stacks fill the window is told by its metadata")
    func largeCrash() {
        let frame = #"{"binaryName":"Shop","address":200,"offsetIntoBinaryTextSegment":100,"sampleCount":1}"#
        let tree = #"{"callStacks":[{"callStackRootFrames":[\#(self.filling(frame))]}]}"#
        let crash = #"{"callStackTree":\#(tree),"diagnosticMetaData":\#(self.metadata)}"#
        let hangs = self.filling(self.hang)
        let first = #"{"timeStampBegin":"a","hangDiagnostics":[\#(hangs)],"crashDiagnostics":[\#(crash)]}"#
        #expect(recognize(first).kind == .crash)
        #expect(recognize(first).summary.hasPrefix("com.example.Shop 4.1: 1+ crash, "))
        #expect(recognize(first).summary.hasSuffix("+ hang; SIGSEGV"))
        let alone = recognize(#"{"crashDiagnostics":[\#(crash)],"timeStampBegin":"a"}"#)
        #expect(alone.kind == .crash)
        #expect(alone.crash?.cause.type == "EXC_BAD_ACCESS")
        // Its beginning and its end are not two crashes.
        let identified = crash.replacing(#"{"callStackTree""#, with: #"{"version":"1.0.0","callStackTree""#)
        #expect(recognize(#"{"crashDiagnostics":[\#(identified)]}"#).summary.contains(": 1+ crash; "))
        #expect(alone.crash?.crashedThread?.frames.first?.moduleOffset == 100)
    }

    @Test("the program's full name is told by images behind the window")
    func swiftImages() {
        let program = "checkout-service-worker"
        let frame = #"{"kind":"returnAddress","address":"0x1","description":"recurse(_:) + 50","image":"\#(program)"}"#
        let thread = #"{"name":"checkout-servic","crashed":true,"frames":[\#(self.filling(frame))]}"#
        let title = #"{ "timestamp": "2026-11-22T10:43:23Z", "kind": "crashReport", "description": "Aborted""#
        let images = #"[{"name":"\#(program)","buildId":"08d4"}]"#
        let diagnosis = recognize(#"\#(title), "threads": [\#(thread)], "images": \#(images) }"# + "\n")
        #expect(diagnosis.format == "swift-backtrace-json")
        #expect(diagnosis.summary == "checkout-service-worker: Aborted in recurse(_:) + 50")
        #expect(diagnosis.crash?.images.first?.buildID == "08d4")
        #expect(diagnosis.crash?.crashedThread?.frames.count == Crash.Bounds.frameCount)
    }

    @Test("a report of Node.js is told by a header behind the window")
    func nodeHeader() {
        let header = #"{"nodejsVersion":"v22.1.0","trigger":"Exception","processId":7}"#
        let stack = #"{"message":"Error: no rate","stack":["at rate (/srv/rates.js:3:1)"]}"#
        let variables = #""environmentVariables":{\#(self.filling(#""A":"{\\""#))}"#
        let diagnosis = recognize(#"{\#(variables),"header":\#(header),"javascriptStack":\#(stack)}"#)
        #expect(diagnosis.summary == "node[7] v22.1.0: Exception: Error: no rate at rate (/srv/rates.js:3:1)")
    }

    @Test("the images of a report of Apple's are told behind the window")
    func appleImages() {
        let frame = #"{"imageOffset":4752,"symbol":"Shelf.restock(_:)","imageIndex":0}"#
        let threads = #"[{"triggered":true,"frames":[\#(self.filling(frame))]}]"#
        let body = #"""
            {"procName":"Shop","exception":{"type":"EXC_CRASH"},"threads":\#(threads),"usedImages":\#(AppleIPSTests.images)}
            """#
        let diagnosis = recognize(AppleIPSTests.title("309") + body)
        #expect(diagnosis.summary == "Shop 2.0: EXC_CRASH in Shelf.restock(_:) (iPhone OS 26.3 (23D5110))")
        #expect(diagnosis.crash?.images.count == 3)
    }

    @Test("large JSON that nothing knows is JSON, and lines of it are text")
    func unknown() {
        let item = #"{"name":"x, \"crash\": {}","value":[1,2]}"#
        #expect(recognize("[" + self.filling(item) + "]").format == "json")
        #expect(recognize(#"{"items":["# + self.filling(item) + #"],"crash":{"error":1}}"#).format == "json")
        #expect(recognize(self.filling(item + "\n")).format == "text")
        #expect(recognize(String(repeating: item + "\n", count: 60_000)).format == "text")
    }

    @Test("the end of a document that is cut tells nothing false")
    func cutEnd() {
        let whole = Array(("{" + self.images() + #","crash":{"error":\#(self.error)},"system":\#(self.system)}"#).utf8)
        for length in [1, 2, 5, 20, 40, 60, 90, 130, 170] {
            let diagnosis = recognize(Array(whole.dropLast(length)))
            #expect(diagnosis.format == "json" || diagnosis.format == "kscrash")
        }
    }
}
