import Diagnosis
import DurableIO

/// The member `annotations`.
extension LeafReader {
    private static let name = "annotations"
    private static let forms = #"a text, {"fact": NAME}, {"value": TEXT, "fixed": true}"#
    private static let fixed = "fixed"
    /// The members that say where a value is from.
    private static let valueMembers = ["value", "fact", "environment", "file"]

    /// Reads the annotations, each by itself, so that one that cannot be had does not cost the others. Of those that are
    /// too many the first is read, which is enough to say so.
    func annotations(_ value: JSONValue) -> [GivenAnnotation] {
        guard let object = value.objectValue else {
            let example = #"{"service": "shop", "host": {"fact": "host"}}"#
            return [.none(problem([Self.name], "expected an object, as \(example)"))]
        }
        return object.members.prefix(Annotations.maximumCount + 1).map { member in
            let keys = [Self.name, member.key]
            return GivenAnnotation(
                key: member.key, subject: nameSource(keys).subject,
                setting: Result { () throws(ReportsError) in try annotation(member.value, keys, member.key) })
        }
    }

    private func annotation(
        _ value: JSONValue, _ keys: [String], _ key: String
    ) throws(ReportsError) -> AnnotationSetting {
        guard Annotations.isKey(key) else {
            throw nameProblem(keys, Annotations.keyProblem(key))
        }
        guard let object = value.objectValue else {
            try refuse(fraction: value, keys)
            let text = try leaf(value, keys, expectation: Self.forms)
            return try AnnotationSetting(key, .text(text), isFixed: false, from: source(keys))
        }
        for member in object.members where !(Self.valueMembers + [Self.fixed]).contains(member.key) {
            throw unknownMember(
                keys + [member.key], among: Self.valueMembers + [Self.fixed],
                otherwise: "expected \(Self.forms), a file or a variable")
        }
        let given = object.members.filter { $0.key != Self.fixed }
        guard given.count == 1, let member = given.first else {
            throw problem(keys, "expected one of \(Self.valueMembers.joined(separator: ", ")), found \(given.count)")
        }
        let isFixed = try isFixed(object, keys)
        if member.key == "fact" {
            guard isFixed != false else { throw problem(keys + [Self.fixed], "facts are always fixed: leave this out") }
            return try AnnotationSetting(key, .fact(fact(member.value, keys)), isFixed: true, from: source(keys))
        }
        let text = try text(member, keys)
        return try AnnotationSetting(key, .text(text), isFixed: isFixed ?? false, from: source(keys))
    }

    /// What the member `fixed` says; `nil` where there is none.
    private func isFixed(_ object: JSONObject, _ keys: [String]) throws(ReportsError) -> Bool? {
        guard let value = object[Self.fixed] else { return nil }
        guard case .bool(let isFixed) = value else {
            throw problem(keys + [Self.fixed], "expected true or false, found \(Self.word(for: value))")
        }
        return isFixed
    }

    private func fact(_ value: JSONValue, _ keys: [String]) throws(ReportsError) -> MachineFact {
        let keys = keys + ["fact"]
        guard let name = value.stringValue else {
            throw problem(keys, "expected a fact, found \(Self.word(for: value)): \(MachineFact.advice(for: ""))")
        }
        guard let fact = MachineFact(rawValue: name) else {
            throw problem(keys, "there is no fact \"\(Printable.text(name))\": \(MachineFact.advice(for: name))")
        }
        return fact
    }

    private func text(_ member: JSONObject.Member, _ keys: [String]) throws(ReportsError) -> String {
        if member.key == "value" {
            guard member.value.objectValue == nil else {
                throw problem(keys + ["value"], "expected a text, found an object")
            }
            try refuse(fraction: member.value, keys + ["value"])
            return try leaf(member.value, keys + ["value"], expectation: "a text")
        }
        guard member.value.stringValue != nil else {
            let what = member.key == "file" ? "the path of a file" : "the name of a variable"
            throw problem(keys + [member.key], "expected \(what), found \(Self.word(for: member.value))")
        }
        return try leaf(.object(JSONObject([member])), keys, expectation: "a text")
    }

    /// A version 2.10 would become 2.1.
    private func refuse(fraction value: JSONValue, _ keys: [String]) throws(ReportsError) {
        guard case .double = value else { return }
        throw problem(keys, Self.fractionProblem)
    }

    static let fractionProblem = "expected a text: put the number in quotes, so that each of its digits counts"
}
