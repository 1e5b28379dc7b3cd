"""Domain of Tradepost: models, money, rules and errors. It does not depend on AWS or HTTP."""

VERSION = "0.1.0"
