/** gRPC's own would look for a server that is back only after up to two minutes. */
export const RECONNECT = {
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 2_000,
};
