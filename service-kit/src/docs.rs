//! The OpenAPI document and the page that shows it.

use aide::{
    generate::GenContext,
    openapi::{Operation, Parameter, ParameterData, ParameterSchemaOrContent, PathStyle, SchemaObject},
    operation::add_parameters,
};

/// Adds a path parameter to the documentation of an operation.
pub(crate) fn path_parameter(ctx: &mut GenContext, operation: &mut Operation, name: &str, about: &str) {
    let json_schema = ctx.schema.subschema_for::<String>();
    let schema = SchemaObject { json_schema, external_docs: None, example: None };
    let parameter_data = ParameterData {
        name: name.to_owned(),
        description: Some(about.to_owned()),
        required: true,
        deprecated: None,
        format: ParameterSchemaOrContent::Schema(schema),
        example: None,
        examples: Default::default(),
        explode: None,
        extensions: Default::default(),
    };
    add_parameters(ctx, operation, [Parameter::Path { parameter_data, style: PathStyle::Simple }]);
}
