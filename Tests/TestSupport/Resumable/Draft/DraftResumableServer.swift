/// A server for resumable uploads as draft-ietf-httpbis-resumable-upload-12 describes them (interop version 8).
///
/// It is written from the draft alone and knows nothing of our client. Uploads lie below `/uploads/`; every other path
/// takes reports. State is in memory and outlives ``restart(losingState:)`` unless that loses it. A body that breaks
/// off keeps what has come; one request per upload at a time: a second one ends the first (section "Concurrency").
/// Digests are checked if they are `sha-256`: content that does not match its `Content-Digest` is taken back, a report
/// that does not match its `Repr-Digest` never reaches the application.
package final class DraftResumableServer: RecordingServer {
    private let heldPort: RefusingPort
    private let state: Monitor<DraftState>
    private let server = Monitor<LoopbackServer?>(nil)

    /// Starts listening on a free port.
    ///
    /// - Parameter rules: how it behaves. The default knows no limits and sends no interim responses.
    /// - Throws: ``SocketError`` if no socket or thread can be had.
    package init(_ rules: DraftRules = DraftRules()) throws {
        heldPort = try RefusingPort()
        state = Monitor(DraftState(rules: rules))
        try start()
    }

    package var port: UInt16 { heldPort.port }

    package func waitForNoConnections() async {
        await server.value?.waitForNoConnections()
    }

    package func stop() {
        end()
        state.withLock { $0.record.isStopped = true }
    }

    /// Ends every connection and listens again on the same port; also comes back after ``stop()``.
    ///
    /// - Parameter losingState: whether uploads are forgotten; the record never is.
    /// - Throws: ``SocketError`` if no socket or thread can be had.
    package func restart(losingState: Bool) throws {
        // A child about to become its program would keep the old listener alive, and the port with it.
        try whileNothingStarts {
            end()
            state.withLock { $0.restart(losingState: losingState) }
            try start()
        }
    }

    // MARK: What goes wrong

    /// Changes how it behaves from now on.
    package func update(_ change: (inout DraftRules) -> Void) {
        state.withLock { change(&$0.rules) }
    }

    /// Lets something go wrong.
    ///
    /// - Parameters:
    ///   - fault: what.
    ///   - exchange: with which kind of request.
    ///   - number: the first of these requests it happens to: 1 is the first since the server was made. The default is
    ///     the next one.
    ///   - times: to how many of them, one after another.
    package func inject(_ fault: DraftFault, into exchange: DraftExchange, from number: Int? = nil, times: Int = 1) {
        state.withLock { $0.faults.add(fault, into: exchange, from: number, times: times) }
    }

    /// Moves its clock, which stands still otherwise; uploads older than `max-age` are gone.
    package func advance(seconds: Int) {
        state.withLock { $0.seconds += seconds }
    }

    // MARK: What happened

    package var record: ServerRecord { state.value.record }

    package func wait(until condition: @escaping @Sendable (ServerRecord) -> Bool) async {
        await state.wait { condition($0.record) || $0.record.isStopped }
    }

    /// All upload resources since state was lost last, in the order of their creation.
    package var uploads: [UploadStatus] {
        state.value.uploads.compactMap { upload in
            guard let path = upload.path else { return nil }
            let isAccessible = if case .inaccessible = upload.phase { false } else { true }
            return UploadStatus(
                path: path, offset: upload.body.byteCount, length: upload.length,
                isComplete: upload.phase == .complete, isAccessible: isAccessible)
        }
    }

    /// Returns once an upload has at least so many bytes.
    package func waitForOffset(_ offset: Int) async {
        await state.wait { state in
            state.record.isStopped || state.uploads.contains { $0.path != nil && $0.body.byteCount >= offset }
        }
    }

    /// Returns once no request is sending content.
    package func waitForNoTransfers() async {
        await state.wait { $0.transfers.isEmpty || $0.record.isStopped }
    }

    // MARK: The server below

    private func start() throws {
        var script = ServerScript { [self] in decide($0) { $0.receiveEnd(of: $1.index) } }
        script.onHead = { [self] in decide($0) { $0.receiveHead($1) } }
        script.onBody = { [state] request, piece in state.withLock { $0.receive(piece, of: request.index) } }
        script.onBreak = { [state] request in state.withLock { $0.receiveBreak(of: request.index) } }
        let started = try LoopbackServer(script, on: heldPort, keepsBodies: false)
        server.withLock { $0 = started }
    }

    private func decide<Decision>(
        _ request: ReceivedRequest, _ decision: (inout DraftState, ReceivedRequest) -> Decision
    ) -> Decision {
        let (decided, overtaken) = state.withLock { state in
            let decided = decision(&state, request)
            defer { state.hangUps = [] }
            return (decided, state.hangUps)
        }
        for connection in overtaken { server.value?.hangUp(connection) }
        return decided
    }

    private func end() {
        // Taken out first: the script refers to this object.
        let running = server.withLock { server in
            defer { server = nil }
            return server
        }
        running?.stop()
    }
}
