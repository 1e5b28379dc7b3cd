"""The business of Tradepost: models, money, rules and errors. It knows no AWS and no HTTP."""

VERSION = "0.1.0"
