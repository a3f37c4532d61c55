/// Upload resources: how they are found, and what becomes of one that is asked while content comes in.
extension DraftState {
    /// An answer as an error.
    struct Refusal: Error {
        let answer: Answer
    }

    /// The upload that a request is about, after what a fault does to it.
    mutating func find(_ request: ReceivedRequest, _ fault: DraftFault?) -> Result<Int, Refusal> {
        guard let upload = uploads.firstIndex(where: { $0.path == request.target }) else {
            return .failure(Refusal(answer: .response(404)))
        }
        switch fault {
        case .forget: uploads[upload].phase = .inaccessible(status: 404)
        case .expire: uploads[upload].phase = .inaccessible(status: 410)
        case .loseBytes(let length): uploads[upload].body.truncate(to: length)
        case .refuse, .replaceAnswer, .breakOff, .location, .claimOffset, nil: break
        }
        if let maxAge = rules.limits.maxAge, seconds - uploads[upload].birth >= maxAge {
            uploads[upload].phase = .inaccessible(status: 410)
        }
        if case .inaccessible(let status) = uploads[upload].phase {
            interrupt(upload)
            return .failure(Refusal(answer: .response(status)))
        }
        return .success(upload)
    }

    /// Ends the request that is sending content to this upload, as the draft recommends when another one comes: for the
    /// client the first has failed, and what it stored from here on would make the next answer a lie.
    mutating func interrupt(_ upload: Int) {
        guard let request = uploads[upload].transfer, let transfer = detach(request) else { return }
        hangUps.append(transfer.connection)
    }

    /// The answer to `OPTIONS`.
    func discovery() -> Answer {
        var fields: [(name: String, value: String)] = [("Allow", "OPTIONS, POST, PUT")]
        if rules.announcesAcceptPatch { fields.append(("Accept-Patch", "application/partial-upload")) }
        if rules.announcesLimits, let limits = rules.uploadLimit() { fields.append(("Upload-Limit", limits)) }
        return .response(204, headers: fields)
    }

    /// The answer to `HEAD`.
    func retrieval(of upload: Int, _ fault: DraftFault?) -> Answer {
        let fields =
            completeness(of: upload) + offset(of: upload, fault) + length(of: upload) + limits(of: upload)
            + [("Cache-Control", "no-store")]
        return .response(204, headers: fields)
    }

    // MARK: Fields

    func completeness(of upload: Int) -> [(name: String, value: String)] {
        [("Upload-Complete", uploads[upload].phase == .complete ? "?1" : "?0")]
    }

    func offset(of upload: Int, _ fault: DraftFault? = nil) -> [(name: String, value: String)] {
        if case .claimOffset(let offset) = fault { return [("Upload-Offset", "\(offset)")] }
        return [("Upload-Offset", "\(uploads[upload].body.byteCount)")]
    }

    func limits(of upload: Int) -> [(name: String, value: String)] {
        rules.uploadLimit(age: seconds - uploads[upload].birth).map { [("Upload-Limit", $0)] } ?? []
    }

    private func length(of upload: Int) -> [(name: String, value: String)] {
        uploads[upload].length.map { [("Upload-Length", "\($0)")] } ?? []
    }
}
