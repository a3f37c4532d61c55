/// The part of an `.ips` report that is about one process: a crash, or a process that used or waited too much.
enum AppleProcessReport {
    static func read(_ report: AppleReport) -> AppleReport.Finding {
        let cause = AppleCause(report)
        var crash = report.crash(cause: cause.cause)
        crash.earlierCauses = cause.earlier
        let images = AppleImages(report)
        crash.images = images.all
        crash.threads = self.threads(in: report, images: images, isCrash: report.isOfCrash)
        return AppleReport.Finding(
            kind: report.isOfCrash ? .crash : .diagnostic,
            sentence: cause.sentence + (crash.place?.place ?? ""), crash: crash)
    }

    private static func threads(in report: AppleReport, images: AppleImages, isCrash: Bool) -> [Crash.Thread] {
        let threads = report["threads"]?.arrayValue ?? []
        let faulting = report["faultingThread"]?.integerValue.flatMap { Int(exactly: $0) }
        let isKnown = faulting.map { threads.indices.contains($0) } ?? false
        let triggered = report["legacyInfo"]?["threadTriggered"]
        // The stack of an exception that nobody caught is that of its throw; the thread itself stands in `abort`.
        let exception = (report["lastExceptionBacktrace"]?.arrayValue ?? []).keptFrames(images.frame)
        var hasCrashed = false
        let isMarked = { (index: Int, thread: JSONValue) in
            // Several threads may have been stopped by a fault, of which the report is about one.
            isKnown ? faulting == index : thread["triggered"]?.boolValue == true
        }
        return threads.keptThreads(isMarked: isMarked).map { index, thread in
            let isTriggered = isMarked(index, thread)
            let isCrashed = isCrash && isTriggered && !hasCrashed
            hasCrashed = hasCrashed || isCrashed
            let other = isTriggered ? triggered?["name"]?.stringValue ?? triggered?["queue"]?.stringValue : nil
            let name = thread["name"]?.stringValue?.nonEmpty ?? thread["queue"]?.stringValue?.nonEmpty ?? other
            let frames = (thread["frames"]?.arrayValue ?? []).keptFrames(images.frame)
            var result = Crash.Thread(
                name: name?.nonEmpty, number: Int64(index), isCrashed: isCrashed,
                frames: isCrashed && !exception.isEmpty ? exception : frames)
            if isCrashed { result.registers = RegisterValues.read(thread["threadState"]) }
            return result
        }
    }
}

/// The images of a report, and the frames that lie in them.
struct AppleImages {
    let all: [Crash.Image]
    private let code: AppleCode

    init(_ report: AppleReport) {
        let images = report["usedImages"]?.arrayValue ?? []
        self.all = images.prefix(Crash.Bounds.imageCount).map { image in
            let base = image["base"]?.address
            let end = image["size"]?.address.flatMap { size in
                base.flatMap { base in
                    let (end, overflow) = base.addingReportingOverflow(size)
                    return overflow ? nil : end
                }
            }
            return Crash.Image(
                path: image["path"]?.stringValue?.nonEmpty ?? image["name"]?.stringValue ?? "",
                buildID: AppleNames.buildID(image["uuid"]?.stringValue), baseAddress: base, endAddress: end)
        }
        let path = report["procPath"]?.stringValue ?? ""
        self.code = AppleCode(
            program: path.lastPathComponent.nonEmpty ?? report["procName"]?.stringValue
                ?? report.title.text("app_name"))
    }

    func frame(_ frame: JSONValue) -> Crash.Frame {
        let index = frame["imageIndex"]?.integerValue.map { Int(clamping: $0) }
        let image = index.flatMap { self.all.indices.contains($0) ? self.all[$0] : nil }
        let function = frame["symbol"]?.stringValue?.nonEmpty
        let offset = frame["imageOffset"]?.address
        var result = Crash.Frame(
            function: function, file: frame["sourceFile"]?.stringValue?.nonEmpty,
            line: frame["sourceLine"]?.integerValue.flatMap { $0 > 0 ? $0 : nil }, module: image?.path.nonEmpty,
            moduleOffset: offset, isOwn: self.code.isOwn(path: image?.path, function: function))
        if let base = image?.baseAddress, let offset {
            let (address, overflow) = base.addingReportingOverflow(offset)
            result.address = overflow ? nil : address
        }
        if let address = result.address, let distance = frame["symbolLocation"]?.address, distance <= address {
            result.symbolAddress = address - distance
        }
        return result
    }
}
