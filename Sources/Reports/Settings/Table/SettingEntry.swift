import DurableIO

/// A setting's value as it was given, and where.
package struct SettingEntry: Sendable {
    package let setting: Setting
    let text: String
    package let source: SettingSource
    /// Whether it stands where it was written, and not in a file or variable that may hold something else, too.
    var isQuotable = true

    /// Without what nobody is to see.
    package var shownText: String { setting.mask?(text) ?? text }

    /// As it is named as the cause of something: `FILE has NAME`.
    var description: String { "\(source.description) has \(setting.rawValue)" }

    /// Gives the value its place among the others.
    func read(into values: inout SettingValues) throws(ReportsError) {
        do throws(SettingProblem) {
            try setting.read(text, into: &values)
        } catch {
            throw self.error(error)
        }
    }

    /// What to say when it is no value of the setting.
    func error(_ problem: SettingProblem) -> ReportsError {
        func error(_ text: String, _ cause: (any Error)? = nil) -> ReportsError {
            ReportsError(source.errorCode, "\(source.subject): \(text)", underlyingError: cause)
        }
        switch problem {
        case .form:
            let found = setting.mask != nil || !isQuotable ? "" : ", found \"\(Printable.text(text))\""
            return error("expected \(setting.expectation)\(found)")
        case .reason(let text, let cause):
            return error("\(text); expected \(setting.expectation)", cause)
        case .advice(let text, let cause):
            return error(text, cause)
        }
    }
}
