import CLibPQ
import VigilPorts

extension Wire {
    /// Queues a request, preparing its statement first when the connection does not know it.
    func send(_ request: WireRequest) throws(PostgresFailure) {
        if let failure { throw failure }
        let parameters = try WireParameters(request.parameters, binaryTypes: request.binaryTypes)
        if expected.isEmpty { deadline = .now + silenceLimit }
        let status: Int32
        if request.isPrepared {
            let name = try prepare(StatementCache.Key(text: request.text, types: parameters.types))
            status = parameters.withPointers { count, values, lengths, formats in
                PQsendQueryPrepared(raw, name, count, values, lengths, formats, 0)
            }
        } else {
            status = parameters.withPointers { count, values, lengths, formats in
                PQsendQueryParams(raw, request.text, count, parameters.types, values, lengths, formats, 0)
            }
        }
        guard status == 1 else { throw broken(.lost) }
        expected.append(.answer(rowByRow: request.rowByRow))
        if expected.count % 256 == 0 { try push() }
    }

    private func prepare(_ key: StatementCache.Key) throws(PostgresFailure) -> String {
        if let name = statements.name(of: key) { return name }
        let (name, evicted) = statements.insert(key)
        for old in evicted {
            guard PQsendQueryParams(raw, "DEALLOCATE \(old)", 0, nil, nil, nil, nil, 0) == 1 else {
                throw broken(.lost)
            }
            expected.append(.ignored)
        }
        guard PQsendPrepare(raw, name, key.text, Int32(key.types.count), key.types) == 1 else { throw broken(.lost) }
        expected.append(.prepared(key))
        return name
    }

    /// Ends the batch without waiting: its answers are read, and dropped, before the next batch's.
    func finishWithoutWaiting() throws(PostgresFailure) {
        for index in expected.indices {
            if case .answer = expected[index] { expected[index] = .ignored }
        }
        try sync()
        guard PQflush(raw) >= 0 else { throw broken(.lost) }
    }

    private func sync() throws(PostgresFailure) {
        guard PQpipelineSync(raw) == 1 else { throw broken(.lost) }
        expected.append(.synced)
    }

    /// Ends the batch and reads the answers to everything that was queued.
    ///
    /// - Throws: The first error of the batch, after everything has been read: the connection is in step again.
    func collect(rowLimit: Int = .max) throws(PostgresFailure) -> [WireAnswer] {
        deadline = .now + silenceLimit
        try sync()
        var answers: [WireAnswer] = []
        var first: PostgresFailure?
        for item in expected {
            switch item {
            case .synced:
                let result = try next()
                defer { PQclear(result) }
                guard let result, PQresultStatus(result) == PGRES_PIPELINE_SYNC else { throw broken(.lost) }
            case .prepared(let key):
                let outcome = try read(rowByRow: false, rowLimit: 0)
                if outcome.failure != nil || outcome.skipped { statements.remove(key) }
                first = first ?? outcome.failure
            case .ignored:
                _ = try read(rowByRow: false, rowLimit: .max)
            case .answer(let rowByRow):
                let outcome = try read(rowByRow: rowByRow, rowLimit: rowLimit)
                first = first ?? outcome.failure
                answers.append(outcome.answer)
            }
        }
        expected.removeAll(keepingCapacity: true)
        if let first { throw first }
        return answers
    }

    private struct Outcome {
        var answer = WireAnswer()
        var failure: PostgresFailure?
        /// An earlier request of the batch failed, so this one did not run.
        var skipped = false
    }

    /// Reads the results of one request, up to the end mark.
    private func read(rowByRow: Bool, rowLimit: Int) throws(PostgresFailure) -> Outcome {
        if rowByRow { PQsetSingleRowMode(raw) }
        var outcome = Outcome()
        var decoding: WireDecoding?
        while let result = try next() {
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_SINGLE_TUPLE, PGRES_TUPLES_OK:
                let reader = decoding ?? WireDecoding(result)
                decoding = reader
                outcome.answer.columns = reader.columns
                for row in 0..<PQntuples(result) where outcome.answer.rows.count <= rowLimit {
                    outcome.answer.rows.append(reader.row(result, row))
                }
                outcome.answer.note(result)
            case PGRES_COMMAND_OK: outcome.answer.note(result)
            case PGRES_EMPTY_QUERY: break
            case PGRES_PIPELINE_ABORTED: outcome.skipped = true
            default:
                let failure = PostgresFailure(result: result)
                outcome.failure = failure
                if failure.isConnectionLoss { self.failure = failure }
            }
        }
        if outcome.answer.rows.count > rowLimit {
            outcome.answer.rows = []
            outcome.failure = PostgresFailure(
                kind: .local(
                    StoreError(.limit, "A result has more rows than allowed", details: ["limit": String(rowLimit)])))
        }
        return outcome
    }
}

extension WireAnswer {
    mutating func note(_ result: OpaquePointer) {
        tag = PQcmdStatus(result).map { String(cString: $0) } ?? ""
        changed = PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0
    }
}
