"""The CDK app and everything that does not run in Lambda."""
