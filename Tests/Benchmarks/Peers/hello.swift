// The least a Swift program can do: what `reports --version` is measured against.
print("hello")
