/// Shared by the tests.
