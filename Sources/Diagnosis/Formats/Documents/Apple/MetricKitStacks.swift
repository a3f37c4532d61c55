/// The stacks of one diagnostic of MetricKit.
///
/// Each frame has those that follow it in its own `subFrames`, so that a stack of 500 calls lies 1,000 levels deep in
/// the document. Hence the stacks are read token by token. Of several frames that follow one the most sampled counts.
struct MetricKitStacks {
    /// Where in a payload the diagnostic is: the name of a list of the outermost object, and the index in the list.
    struct Place {
        let key: String
        let index: Int
    }

    /// One stack, as the payload has it.
    fileprivate struct Stack {
        var isAttributed = false
        var nodes: [Node] = []
    }

    fileprivate struct Node {
        let parent: Int?
        var module: String?
        var uuid: String?
        var address: UInt64?
        var offset: UInt64?
        var sampleCount: Int64 = 0
    }

    private let paths: [(isAttributed: Bool, nodes: [Node])]
    /// Whether each stack is that of a thread, with the innermost frame at the root. Else they are samples of all
    /// threads, with the outermost frame at the root.
    private let isPerThread: Bool

    /// - Parameters:
    ///   - bytes: the payload, or the ending of a payload.
    ///   - place: the diagnostic.
    init(in bytes: ArraySlice<UInt8>, at place: Place) {
        let reader = bytes.withUnsafeBufferPointer { buffer in
            var reader = MetricKitStackReader(place)
            var walker = JSONWalker(buffer)
            while let token = walker.next(), reader.read(token) {}
            return reader
        }
        self.isPerThread = reader.isPerThread
        self.paths = reader.stacks.map { ($0.isAttributed, $0.mostSampledPath) }
    }

    func threads(isCrash: Bool, code: AppleCode) -> [Crash.Thread] {
        let attributed = self.paths.firstIndex { $0.isAttributed } ?? (self.paths.count == 1 ? 0 : nil)
        return self.paths.enumerated().map { index, path in
            let nodes = self.isPerThread ? path.nodes : path.nodes.reversed()
            let frames = nodes.keptFrames { node in
                Crash.Frame(
                    module: node.module, address: node.address, moduleOffset: node.moduleOffset,
                    isOwn: code.isOwn(path: node.module))
            }
            return Crash.Thread(
                number: Int64(index), isCrashed: isCrash && index == attributed, frames: frames)
        }
    }

    /// The images that the frames name, each once.
    var images: [Crash.Image] {
        var seen: Set<String> = []
        return self.paths.lazy.flatMap { $0.nodes }.compactMap { node in
            guard let uuid = node.uuid, let id = AppleNames.buildID(uuid), seen.insert(id).inserted else { return nil }
            let base = node.moduleOffset.flatMap { offset in node.address.map { $0 - offset } }
            return Crash.Image(path: node.module ?? "", buildID: id, baseAddress: base)
        }
    }
}

extension MetricKitStacks.Node {
    /// The first versions of MetricKit wrote where the image lies, and not how far into it the frame is.
    fileprivate var moduleOffset: UInt64? {
        guard let offset = self.offset, let address = self.address, offset <= address else { return nil }
        return offset
    }
}

extension MetricKitStacks.Stack {
    /// The frames from a root on, each followed by the most sampled of those below it.
    fileprivate var mostSampledPath: [MetricKitStacks.Node] {
        var root: Int?
        var next = [Int?](repeating: nil, count: self.nodes.count)
        for (index, node) in self.nodes.enumerated() {
            let known = node.parent.map { next[$0] } ?? root
            guard known.map({ self.nodes[$0].sampleCount < node.sampleCount }) ?? true else { continue }
            if let parent = node.parent { next[parent] = index } else { root = index }
        }
        var path: [MetricKitStacks.Node] = []
        var index = root
        while let current = index {
            path.append(self.nodes[current])
            index = next[current]
        }
        return path
    }
}

/// Collects the stacks of one diagnostic from the tokens of a payload.
private struct MetricKitStackReader {
    /// Further stacks are left out; an app has some hundred threads at most.
    private static let maximumStackCount = 4_096
    /// Further frames of all stacks are left out.
    private static let maximumNodeCount = 32_768

    private enum Level {
        case payload
        case diagnostics
        case diagnostic
        case tree
        case stacks
        case stack
        case frames
        case frame(Int)
        case other
    }

    private let place: MetricKitStacks.Place
    private var levels: [Level] = []
    private var key = ""
    private var index = 0
    private var nodeCount = 0
    private(set) var stacks: [MetricKitStacks.Stack] = []
    private(set) var isPerThread = false

    init(_ place: MetricKitStacks.Place) {
        self.place = place
    }

    /// - Returns: whether more tokens can tell anything.
    mutating func read(_ token: JSONWalker.Token) -> Bool {
        switch token {
        case .key(let key): self.key = key
        case .beginObject: self.levels.append(self.levelOfObject())
        case .beginArray: self.levels.append(self.levelOfArray())
        case .scalar(let value): self.takeScalar(value)
        case .end:
            guard let level = self.levels.popLast() else { return false }
            if case .diagnostic = level { return false }
        }
        return true
    }

    private mutating func levelOfObject() -> Level {
        switch self.levels.last {
        case nil: return .payload
        case .diagnostics:
            self.index += 1
            return self.index - 1 == self.place.index ? .diagnostic : .other
        case .diagnostic where self.key == "callStackTree": return .tree
        case .stacks where self.stacks.count < Self.maximumStackCount:
            self.stacks.append(MetricKitStacks.Stack())
            return .stack
        case .frames where self.nodeCount < Self.maximumNodeCount:
            guard let stack = self.stacks.indices.last else { return .other }
            self.nodeCount += 1
            var parent: Int?
            if case .frame(let index) = self.levels.dropLast().last { parent = index }
            self.stacks[stack].nodes.append(MetricKitStacks.Node(parent: parent))
            return .frame(self.stacks[stack].nodes.count - 1)
        default: return .other
        }
    }

    private func levelOfArray() -> Level {
        switch (self.levels.last, self.key) {
        case (.payload, self.place.key): .diagnostics
        case (.tree, "callStacks"): .stacks
        case (.stack, "callStackRootFrames"), (.frame, "subFrames"): .frames
        default: .other
        }
    }

    private mutating func takeScalar(_ value: JSONValue) {
        switch self.levels.last {
        case .tree where self.key == "callStackPerThread": self.isPerThread = value.boolValue == true
        case .stack where self.key == "threadAttributed":
            if let stack = self.stacks.indices.last { self.stacks[stack].isAttributed = value.boolValue == true }
        case .frame(let node):
            if let stack = self.stacks.indices.last { self.note(value, node: node, stack: stack) }
        default: break
        }
    }

    private mutating func note(_ value: JSONValue, node: Int, stack: Int) {
        switch self.key {
        case "binaryName": self.stacks[stack].nodes[node].module = value.stringValue?.nonEmpty
        case "binaryUUID": self.stacks[stack].nodes[node].uuid = value.stringValue
        case "address": self.stacks[stack].nodes[node].address = value.address
        case "offsetIntoBinaryTextSegment": self.stacks[stack].nodes[node].offset = value.address
        case "sampleCount": self.stacks[stack].nodes[node].sampleCount = value.integerValue ?? 0
        default: break
        }
    }
}
