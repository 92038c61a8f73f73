-- A run that has ended belongs to nobody, so that anybody may go on with it.
UPDATE runs SET owner = NULL WHERE state IN ('succeeded', 'failed', 'cancelled');
