import Testing

@testable import Reports

@Suite("The setting max_per_signature")
struct SignatureLimitTests {
    static let hour = SignatureLimit(count: 10, per: .seconds(3_600))

    @Test(
        "a number and a time, with or without blanks, or none",
        arguments: [
            ("10 per 1 h", hour, "10 per 1 h"), ("10 per 1h", hour, "10 per 1 h"), ("10/1h", hour, "10 per 1 h"),
            ("10 / 60 m", hour, "10 per 1 h"), ("  10per3600s ", hour, "10 per 1 h"),
            ("5 per 30 m", SignatureLimit(count: 5, per: .seconds(1_800)), "5 per 30 m"),
            ("1 per 90 s", SignatureLimit(count: 1, per: .seconds(90)), "1 per 90 s"),
            ("3 per 90 d", SignatureLimit(count: 3, per: .seconds(90 * 86_400)), "3 per 90 d"),
            ("none", nil, "none"),
        ] as [(String, SignatureLimit?, String)])
    func form(_ text: String, _ limit: SignatureLimit?, _ written: String) throws {
        try withSettingsPlace { place in
            let settings = try place.settings([:], [.maximumPerSignature: text])
            #expect(settings.limits.maximumPerSignature == limit)
            #expect(settings.entry(.maximumPerSignature)?.shownText == text)
            #expect(SettingForm.signatureLimit.text(limit) == written)
        }
    }

    @Test(
        "anything else is refused, with what is expected",
        arguments: [
            "10", "per 1 h", "10 per", "10 per h", "0 per 1 h", "-1 per 1 h", "+1 per 1 h", "1.5 per 1 h",
            "10 per 0 h", "10 per 1 w", "10 per 1 hour", "10 per 1 h 1 m", "10 per 91 d", "10 1 h", "10 per / 1 h",
            "100001 per 1 h", "10 per 1 H", "ten per 1 h", "off", "null", "١ per 1 h", "10 per 99999999999999999999 h",
        ])
    func refused(_ text: String) throws {
        try withSettingsPlace { place in
            let error = #expect(throws: ReportsError.self) {
                _ = try place.settings(["REPORTS_MAX_PER_SIGNATURE": text])
            }
            let message = error?.message ?? ""
            #expect(message.contains("10 per 1 h or 5 per 30 m, or none"), "\(message)")
            #expect(message.contains("REPORTS_MAX_PER_SIGNATURE"), "\(message)")
        }
    }

    @Test("the file may name it, and a member that is no text is refused")
    func file() throws {
        try withSettingsPlace(#"{"max_per_signature": "10 per 1 h"}"#) { place in
            let limits = try place.settings().limits
            #expect(limits.maximumPerSignature == Self.hour)
        }
        try withSettingsPlace(#"{"max_per_signature": 10}"#) { place in
            #expect(throws: ReportsError.self) { _ = try place.settings() }
        }
    }

    @Test("a limit of the library that no text can give is still described")
    func library() {
        #expect(SpoolLimits().maximumPerSignature == nil)
        #expect(SignatureLimit(count: 0, per: .milliseconds(1_500)).description == "1 per 1.5 s")
        #expect(SignatureLimit(count: 2, per: .zero).description == "2 per 0.0 s")
    }
}
