"""Reader of each dataset."""

from domain.exports import Dataset
from repositories.exports.datasets.bookings import BOOKINGS
from repositories.exports.datasets.items import ITEMS
from repositories.exports.datasets.ledger_entries import LEDGER_ENTRIES
from repositories.exports.datasets.orders import ORDER_LINES, ORDERS
from repositories.exports.datasets.payments import PAYMENTS
from repositories.exports.datasets.records import Reader

READERS: dict[Dataset, Reader] = {
    Dataset.ORDERS: ORDERS,
    Dataset.ORDER_LINES: ORDER_LINES,
    Dataset.ITEMS: ITEMS,
    Dataset.PAYMENTS: PAYMENTS,
    Dataset.LEDGER_ENTRIES: LEDGER_ENTRIES,
    Dataset.BOOKINGS: BOOKINGS,
}
