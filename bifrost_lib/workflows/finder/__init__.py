"""What a trader finds: scans, their past, the structures that serve a view, and recommendations that are judged."""
