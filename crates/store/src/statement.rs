//! The registry of statements.

/// A statement of the store. Made by `statements!` alone, which also lists it: what is not in
/// [`crate::ALL_STATEMENTS`] cannot be run, so the test that prepares them all misses none.
#[derive(Debug, Clone, Copy)]
pub struct Statement {
    module: &'static str,
    name: &'static str,
    sql: &'static str,
}

impl Statement {
    /// For `statements!` only.
    pub(crate) const fn registered(module: &'static str, name: &'static str, sql: &'static str) -> Self {
        Self { module, name, sql }
    }

    /// The module and the constant that hold it.
    pub fn name(&self) -> String {
        format!("{}::{}", self.module, self.name)
    }

    pub fn sql(&self) -> &'static str {
        self.sql
    }
}

/// Declares the statements of a module and its list `STATEMENTS`. The parts of one are joined as by
/// `concat!`, so that a list of columns can be shared.
macro_rules! statements {
    ($($name:ident = ($($part:tt)+);)*) => {
        $(const $name: $crate::Statement =
            $crate::Statement::registered(module_path!(), stringify!($name), concat!($($part)+));)*
        pub(crate) const STATEMENTS: &[$crate::Statement] = &[$($name),*];
    };
}
