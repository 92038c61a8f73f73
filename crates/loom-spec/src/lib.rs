//! Workflow documents: parsing, checking, diagnostics, schema, drawing, import.
