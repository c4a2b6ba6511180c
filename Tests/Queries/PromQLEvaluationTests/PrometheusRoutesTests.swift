import HTTPTypes
import PromQLEvaluation
import Testing
import VigilInterface
import VigilModel
import VigilServices

/// The routes, called through the endpoint table as the server calls them.
@Suite struct PrometheusRoutesTests {
    private let store = MemorySeriesStore()
    private let table: EndpointTable

    init() {
        let clock = StillClock(Timestamp(seconds: 60))
        let engine = PromQLEngine(store: store, clock: clock, patterns: testPatterns)
        table = EndpointTable(PrometheusRoutes(engine, clock: clock, version: "1.0").all)
        store.put(SeriesIdentity(device: nil, metric: "m", labels: ["a": "1"]), [(0, 1), (30_000_000, 2)])
    }

    private func ask(
        _ method: HTTPRequest.Method, _ path: String, _ query: [(name: String, value: String)] = [], form: String = "",
        permissions: [Permission] = [Permission("reading", "read")]
    ) async throws -> (status: Int, text: String) {
        let principal = Principal(
            subject: .local, tenant: testScope.tenant, permissions: permissions, scope: testScope, name: "test")
        let response = try await table.respond(
            to: Request(
                method: method, path: path, query: query, body: RequestBody(bytes: Array(form.utf8)),
                principal: principal))
        guard case .bytes(let bytes) = response.body else { return (response.status.code, "") }
        return (response.status.code, String(decoding: bytes, as: UTF8.self))
    }

    @Test func `a query may come in the address or in a form`() async throws {
        let expected =
            #"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"m","a":"1"},"value":[60,"2"]}]}}"#
        #expect(try await ask(.get, "/api/v1/query", [("query", "m")]).text == expected)
        #expect(try await ask(.post, "/api/v1/query", form: "query=m%7Ba%3D%221%22%7D&time=60").text == expected)
    }

    @Test func `a range is asked with unix or RFC 3339 times and durations`() async throws {
        let answer = try await ask(
            .post, "/api/v1/query_range", form: "query=m&start=0&end=1970-01-01T00:01:00Z&step=30s")
        #expect(answer.text.contains(#""values":[[0,"1"],[30,"2"],[60,"2"]]"#))
    }

    @Test func `errors have the form of Prometheus`() async throws {
        let malformed = try await ask(.get, "/api/v1/query", [("query", "m{")])
        #expect(malformed.status == 400)
        #expect(malformed.text.contains(#""status":"error","errorType":"bad_data","error":"1:3: parse error"#))
        #expect(try await ask(.get, "/api/v1/query").status == 400)
        #expect(
            try await ask(
                .get, "/api/v1/query",
                [("query", "label_join(m, \"a\", \"\") + on() (m or m offset 1w)"), ("time", "x")]
            ).status == 400)
        #expect(
            try await ask(.get, "/api/v1/query", [("query", "label_replace(m, \"b\", \"\", \"a\", \"(\")")]).status
                == 422)
    }

    @Test func `a query has no more time than its sender gives it`() async throws {
        let late = #"{"status":"error","errorType":"timeout","error":"query timed out in expression evaluation"}"#
        for path in ["/api/v1/query", "/api/v1/query_range"] {
            let range = [("query", "m"), ("start", "0"), ("end", "60"), ("step", "30")].map { (name: $0, value: $1) }
            let none = try await ask(.get, path, range + [(name: "timeout", value: "0")])
            #expect(none.status == 503)
            #expect(none.text == late)
            #expect(try await ask(.get, path, range + [(name: "timeout", value: "1h30m")]).status == 200)
            #expect(try await ask(.get, path, range + [(name: "timeout", value: "soon")]).status == 400)
        }
    }

    @Test func `series, labels and values are listed`() async throws {
        #expect(try await ask(.get, "/api/v1/labels").text == #"{"status":"success","data":["__name__","a"]}"#)
        #expect(try await ask(.get, "/api/v1/label/a/values").text == #"{"status":"success","data":["1"]}"#)
        #expect(
            try await ask(.get, "/api/v1/series", [("match[]", "m"), ("start", "0"), ("end", "60")]).text
                == #"{"status":"success","data":[{"__name__":"m","a":"1"}]}"#)
        #expect(try await ask(.get, "/api/v1/metadata").text.contains(#""m":[{"type":"unknown""#))
        #expect(try await ask(.get, "/api/v1/status/buildinfo").text.contains(#""version":"1.0""#))
        #expect(try await ask(.get, "/api/v1/query_exemplars").text == #"{"status":"success","data":[]}"#)
    }

    @Test func `nobody reads without the permission`() async throws {
        await #expect(throws: ServiceError.self) {
            try await ask(.get, "/api/v1/query", [("query", "m")], permissions: [Permission("alert", "read")])
        }
    }
}
