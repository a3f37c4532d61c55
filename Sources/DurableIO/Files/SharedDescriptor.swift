/// An open file that several may hold on to; closed when the last of them lets go.
package final class SharedDescriptor: Sendable {
    package let file: OwnedDescriptor

    package init(_ file: consuming OwnedDescriptor) {
        self.file = file
    }
}
