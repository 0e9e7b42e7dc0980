"""The Lambda functions: one module each, with a `handler(event, context)`, over the same services as Flask."""
