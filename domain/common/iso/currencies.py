"""Minor-unit digits of ISO 4217 currencies, except those without minor units (gold, test codes).

Taken from the package iso4217, which reads the maintenance agency's list. The package is not used at run time because
parsing the list takes longer than importing the rest of the domain; a test compares the two.
"""

from pydantic_core import PydanticCustomError

_CODES = {
    0: ("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF "),
    2: (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD "
        "CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP "
        "GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK "
        "LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO "
        "NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS "
        "SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST "
        "XAD XCD XCG YER ZAR ZMW ZWG "
    ),
    3: ("BHD IQD JOD KWD LYD OMR TND "),
    4: ("CLF UYW "),
}

MINOR_UNITS: dict[str, int] = {code: digits for digits, codes in _CODES.items() for code in codes.split()}
"""Currency code to number of decimal places."""


def known_currency(code: str) -> str:
    """Return a currency code. Raises PydanticCustomError unless it is in ISO 4217 and has minor units."""
    if code not in MINOR_UNITS:
        raise PydanticCustomError("currency_unknown", "Not a currency of ISO 4217 that has minor units")
    return code
