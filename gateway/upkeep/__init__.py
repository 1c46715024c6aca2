"""What runs beside the requests: repairs, retention, gauges and the doctor."""
