import { grpc } from 'google-gax';

/** A request as it arrived: the method's short name, such as `Commit`. */
export interface GrpcRequest {
  method: string;
  /** gRPC's own deadline, or that the client hung up. */
  cancelled: Promise<void>;
}

/** What a request is answered with. `hang`: nothing, ever; `nothing`: success, without the answer that was asked for. */
export type GrpcAnswer = { code: grpc.status; details: string } | 'hang' | 'nothing';

export interface GrpcStandIn {
  /** `host:port`. */
  host: string;
  /** In the order of their arrival. */
  requests: GrpcRequest[];
  stop(): void;
}

/** In the packages of Google's that the adapters call. */
const METHODS: Record<string, { path: string; answersStream: boolean }> = {
  Commit: { path: '/google.firestore.v1.Firestore/Commit', answersStream: false },
  BatchGetDocuments: { path: '/google.firestore.v1.Firestore/BatchGetDocuments', answersStream: true },
  RunQuery: { path: '/google.firestore.v1.Firestore/RunQuery', answersStream: true },
  RunAggregationQuery: { path: '/google.firestore.v1.Firestore/RunAggregationQuery', answersStream: true },
  Publish: { path: '/google.pubsub.v1.Publisher/Publish', answersStream: false },
};

/** A gRPC server in the place of Firestore and Pub/Sub that refuses whatever it is asked, as its tests want it, and keeps count. */
export async function startGrpcStandIn(answer: (method: string) => GrpcAnswer): Promise<GrpcStandIn> {
  const requests: GrpcRequest[] = [];
  const server = new grpc.Server();
  const asIs = (bytes: Buffer) => bytes;
  for (const [method, { path, answersStream }] of Object.entries(METHODS)) {
    const definition = {
      path,
      requestStream: false,
      responseStream: answersStream,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    };
    const handle = (call: NodeJS.EventEmitter, refuse: (status: object) => void, end: () => void) => {
      const cancelled = new Promise<void>((resolve) => call.once('cancelled', resolve));
      requests.push({ method, cancelled });
      const status = answer(method);
      if (status === 'nothing') end();
      else if (status !== 'hang') refuse(status);
    };
    const handler = answersStream
      ? (call: grpc.ServerWritableStream<Buffer, Buffer>) =>
          handle(
            call,
            (status) => call.emit('error', status),
            () => call.end(),
          )
      : (call: grpc.ServerUnaryCall<Buffer, Buffer>, callback: grpc.sendUnaryData<Buffer>) =>
          handle(
            call,
            (status) => callback(status),
            () => callback(null, Buffer.alloc(0)),
          );
    server.addService({ [method]: definition }, { [method]: handler });
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { host: `127.0.0.1:${port}`, requests, stop: () => server.forceShutdown() };
}
