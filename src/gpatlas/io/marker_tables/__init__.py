"""HapMap and delimited tables of dosages: text with samples or markers in rows."""
