/// Supervisor.
