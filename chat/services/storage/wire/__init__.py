"""How DynamoDB is asked without botocore's machinery."""
