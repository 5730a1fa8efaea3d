-- agg adds the groups of a build to the roll-ups of a month that stands (INSERT … ON CONFLICT DO UPDATE).
GRANT UPDATE ON payments.agg_merchant_day, payments.agg_network_hour TO payments_loader;

COMMENT ON TABLE payments.agg_merchant_day IS 'Takings per merchant, UTC day and currency; each run adds its own';
COMMENT ON TABLE payments.agg_network_hour IS 'Volume per card network, channel, currency and UTC hour; each run adds its own';
