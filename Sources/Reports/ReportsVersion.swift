// Without the attribute the documentation leaves out every name that begins with the module's and "Version", because
// Clang modules have such names by themselves.
/// The version of this library, as servers see it.
@_documentation(visibility: public)
public enum ReportsVersion {
    /// The version number in three parts (Semantic Versioning 2.0.0). The default `User-Agent` ends with it:
    /// `Reports/0.1.0`.
    public static let current = "0.1.0"
}
