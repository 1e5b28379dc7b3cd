"""Local stand-ins for services of AWS, and the parts of Lambda that read them."""
