"""Simulators of payment providers: banks whose money, keys and webhooks behave as the providers document."""
