using System.Diagnostics;
using System.Net;
using HdrHistogram;

namespace OrderInventory.Load.Placing;

/// <summary>
/// Places an order, waits for the answer, and places the next one: immediately (closed loop), or when its <see cref="Pace"/> says so (open loop). It
/// keeps its own figures, so that clients share nothing.
/// </summary>
/// <param name="http">One connection for each client.</param>
/// <param name="orders">The address to post orders to.</param>
/// <param name="body">This client's own body.</param>
/// <param name="keyPrefix">The prefix of its Idempotency-Keys.</param>
/// <param name="authorization">The value of the Authorization header.</param>
/// <param name="pace">Null in a closed loop.</param>
internal sealed class Client(HttpMessageInvoker http, Uri orders, OrderBody body, string keyPrefix, string authorization, Pace? pace)
{
    private static readonly TimeSpan s_requestTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_pauseAfterError = TimeSpan.FromMilliseconds(50);

    private long _placed;

    /// <summary>The ids from 201 answers, and when each order was due, as time since the start.</summary>
    public List<(Guid Id, TimeSpan Due)> Orders { get; } = [];

    /// <summary>
    /// The time from when the request was due to the last byte of the answer, for 201 answers, in microseconds. In an open loop a request that
    /// had to wait for the previous answer is sent late, and its wait counts: otherwise a pause of the system would hide the requests that it delays.
    /// </summary>
    public LongHistogram Latencies { get; } = Report.NewHistogram();

    /// <summary>Answers other than 201, and requests without an answer.</summary>
    public Dictionary<string, int> Errors { get; } = [];

    /// <summary>201 answers by the second in which they arrived.</summary>
    public List<int> PlacedBySecond { get; } = [];

    /// <summary>Read by the progress display while the client runs.</summary>
    public long Placed => Volatile.Read(ref _placed);

    public async Task RunAsync(long start, TimeSpan duration, CancellationToken cancellationToken)
    {
        using var timeout = new ReusableTimeout(cancellationToken);
        for (var number = 0; !cancellationToken.IsCancellationRequested; number++)
        {
            var due = pace?.Due(number) ?? Stopwatch.GetElapsedTime(start);
            if (due >= duration)
            {
                return;
            }

            if (pace is not null)
            {
                await Pace.WaitAsync(due - Stopwatch.GetElapsedTime(start), cancellationToken);
            }

            var error = await PlaceAsync(start, due, number, timeout.Start(s_requestTimeout), cancellationToken);
            if (error is null)
            {
                continue;
            }

            Errors[error] = Errors.GetValueOrDefault(error) + 1;
            if (error != "409")
            {
                // A service that is down refuses immediately; without a pause that would only use up processor time.
                await Task.Delay(s_pauseAfterError, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task<string?> PlaceAsync(long start, TimeSpan due, int number, CancellationToken timeout, CancellationToken stop)
    {
        body.Fill();
        using var request = new HttpRequestMessage(HttpMethod.Post, orders) { Content = body.ToContent() };
        request.Headers.TryAddWithoutValidation("Idempotency-Key", keyPrefix + number);
        request.Headers.TryAddWithoutValidation("Authorization", authorization);
        try
        {
            using var response = await http.SendAsync(request, timeout);
            await response.Content.CopyToAsync(Stream.Null, timeout);
            if (response.StatusCode != HttpStatusCode.Created)
            {
                return ((int)response.StatusCode).ToString(System.Globalization.CultureInfo.InvariantCulture);
            }

            var answered = Stopwatch.GetElapsedTime(start);
            Report.RecordTo(Latencies, answered - due);
            Count((int)answered.TotalSeconds);

            // …/api/orders/<id>: cheaper than parsing the order.
            var location = response.Headers.NonValidated["Location"].ToString().AsSpan();
            Orders.Add((Guid.Parse(location[(location.LastIndexOf('/') + 1)..]), due));
            return null;
        }
        catch (OperationCanceledException)
        {
            return stop.IsCancellationRequested ? "stopped" : "timeout";
        }
        catch (Exception problem) when (problem is HttpRequestException or IOException)
        {
            return problem is HttpRequestException { HttpRequestError: var error } ? error.ToString() : problem.GetType().Name;
        }
    }

    private void Count(int second)
    {
        Volatile.Write(ref _placed, _placed + 1);
        while (PlacedBySecond.Count <= second)
        {
            PlacedBySecond.Add(0);
        }

        PlacedBySecond[second]++;
    }

    /// <summary>A timeout per request without a new timer for each.</summary>
    private sealed class ReusableTimeout(CancellationToken stop) : IDisposable
    {
        private CancellationTokenSource _source = CancellationTokenSource.CreateLinkedTokenSource(stop);

        public CancellationToken Start(TimeSpan timeout)
        {
            // Changing the due time of an existing timer is cheap; only a source that has fired must be replaced.
            if (_source.IsCancellationRequested)
            {
                _source.Dispose();
                _source = CancellationTokenSource.CreateLinkedTokenSource(stop);
            }

            _source.CancelAfter(timeout);
            return _source.Token;
        }

        public void Dispose() => _source.Dispose();
    }
}
