//! How enums are described in the API's documentation whose names come from a macro.

/// Describes an enum by the texts it is sent as; a derive does not see names that a macro gives.
macro_rules! named_schema {
    ($type:ident, $text:ident) => {
        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for $type {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::Type::String)
                    .enum_values(Some($type::ALL.iter().map(|one| one.$text())))
                    .into()
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for $type {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }
        }
    };
}
