/// The diagnostics of a MetricKit payload, and the crash of the worst of them.
struct MetricKitPayload {
    /// One diagnostic.
    struct Item {
        let category: MetricKitCategory
        let metadata: JSONObject
        /// Where its stacks are.
        fileprivate let place: MetricKitStacks.Place
        fileprivate let isInEnding: Bool
    }

    /// How many diagnostics there are of each category, in the order of the categories. There is a `+` behind the
    /// number where a part of the list is outside of the window.
    let counts: [(category: MetricKitCategory, count: String)]
    let worst: Item?

    private let document: JSONDocument

    init(_ document: JSONDocument) {
        self.document = document
        let rest = Self.rest(of: document)
        let cutKey = document.isComplete ? nil : document.root.members.last?.key
        var counts: [(category: MetricKitCategory, count: String)] = []
        var worst: Item?
        for category in MetricKitCategory.allCases {
            let inHead = document.root[category.key]?.arrayValue
            let inEnding = document.root[category.key] == nil ? document.ending?[category.key]?.arrayValue : nil
            let more = rest?.category == category ? rest?.items.count : nil
            guard inHead != nil || inEnding != nil || more != nil else { continue }
            let isCut = more != nil || cutKey == category.key
            let known = (inHead ?? inEnding ?? []).count
            // The one that the head begins may be the one that the ending goes on with.
            let isHalved = known > 0 && (more ?? 0) > 0
            counts.append((category, "\(known + (more ?? 0) - (isHalved ? 1 : 0))" + (isCut ? "+" : "")))
            guard worst == nil else { continue }
            if let first = (inHead ?? inEnding)?.first {
                // The metadata of a diagnostic that the window cuts stand behind its stacks.
                let behind = rest.flatMap { $0.category == category ? $0.item.metadata : nil }
                worst = Item(
                    category: category, metadata: first["diagnosticMetaData"]?.objectValue ?? behind ?? JSONObject(),
                    place: MetricKitStacks.Place(key: category.key, index: 0), isInEnding: inHead == nil)
            } else if let rest, rest.category == category {
                worst = rest.item
            }
        }
        self.counts = counts
        self.worst = worst
    }

    /// The diagnostics of a category whose name stands in the middle of the document that is not known. What their
    /// metadata have tells which it is.
    private static func rest(
        of document: JSONDocument
    ) -> (category: MetricKitCategory, items: [JSONValue], item: Item)? {
        guard let items = document.ending?.continued?.arrayValue else { return nil }
        for (index, item) in items.enumerated() {
            guard let metadata = item["diagnosticMetaData"]?.objectValue else { continue }
            let measured = MetricKitCategory.allCases.first { $0.measure.map { metadata[$0] != nil } ?? false }
            let isCrash = metadata["signal"] != nil || metadata["exceptionType"] != nil
            guard let category = isCrash ? .crash : measured else { continue }
            let place = MetricKitStacks.Place(key: JSONEnding.continuedKey, index: index)
            // The head may have begun to tell of the same category, and its first one counts then.
            return (category, items, Item(category: category, metadata: metadata, place: place, isInEnding: true))
        }
        return nil
    }

    /// The crash, hang or excess of a diagnostic, with its stacks.
    func crash(of item: Item) -> Crash {
        let metadata = item.metadata
        var crash = Crash(program: metadata.text("bundleIdentifier"), cause: self.cause(of: item))
        crash.process = metadata["pid"]?.integerValue
        crash.version = metadata.text("appVersion")
        crash.system = AppleNames.system(
            metadata.text("osVersion"), architecture: metadata.text("platformArchitecture"))
        crash.occurredAt = self.document["timeStampEnd"]?.stringValue.flatMap(ZonedTime.milliseconds)
        let ending = item.isInEnding ? self.document.ending?.bytes[...] : nil
        let stacks = MetricKitStacks(in: ending ?? self.document.bytes, at: item.place)
        // The app's own file is named like the last part of its identifier, if anything is.
        let program = metadata.text("bundleIdentifier")?.split(separator: ".").last.map(String.init)
        crash.threads = stacks.threads(isCrash: item.category == .crash, code: AppleCode(program: program))
        crash.images = stacks.images
        return crash
    }

    private func cause(of item: Item) -> Crash.Cause {
        let metadata = item.metadata
        let termination = metadata.text("terminationReason")
        guard item.category == .crash else {
            let measure = item.category.measure.flatMap { metadata[$0]?.fieldText }
            return Crash.Cause(type: item.category.typeName, message: measure)
        }
        let signal = metadata["signal"]?.integerValue.flatMap { Int(exactly: $0) }.map(SignalName.darwin)
        let number = metadata["exceptionType"]?.integerValue
        let name = number.flatMap { UInt64(exactly: $0) }.flatMap(AppleNames.exception)
        let mach = name ?? number.map { "exception type \($0)" }
        let code = metadata["exceptionCode"]?.integerValue.flatMap { UInt64(exactly: $0) }
        if let reason = metadata.exceptionReason,
            let type = reason.text("exceptionName") ?? reason.text("exceptionType") ?? reason.text("className")
        {
            let message = reason.text("composedMessage") ?? reason.text("formatString") ?? termination
            return Crash.Cause(type: type, message: message, signal: signal, code: mach)
        }
        var cause = Crash.Cause(
            type: mach ?? signal ?? item.category.typeName, message: termination, signal: signal)
        if name == "EXC_BAD_ACCESS" {
            cause.code = code.flatMap(AppleNames.badAccess)
            cause.address = metadata.text("virtualMemoryRegionInfo").flatMap(self.address)
        } else if let code, code > 0 {
            cause.code = "0x\(String(code, radix: 16))"
        }
        return cause
    }

    /// The number in `0x10 is not in any region. Bytes before following region: …` or `0 is not in any region. …`.
    private func address(in region: String) -> UInt64? {
        let bytes = Array(region.utf8.prefix(64))[...]
        let isAddress = bytes.contains(" is in ") || bytes.contains(" is not in ")
        return isAddress ? bytes.before(" is ")?.hexNumber : nil
    }
}

extension JSONObject {
    /// The Objective-C exception of a crash, since iOS 17; two spellings are around.
    var exceptionReason: JSONObject? {
        self.object("exceptionReason") ?? self.object("objectiveCexceptionReason")
    }
}
