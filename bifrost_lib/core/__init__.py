"""Floor 0: vocabulary, records, frame schemas, settings, errors, calendar and clock. No IO but reading settings."""
