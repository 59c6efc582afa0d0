using System.Security.Claims;
using System.Text.Json;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Authorization;
using OrderInventory.Console.Api;

namespace OrderInventory.Console.Components.Parts;

/// <summary>A page that reads the API and follows its changes. Many changes at once make one look at the API, at most one a second.</summary>
public abstract class LivePage : ComponentBase, IAsyncDisposable
{
    private static readonly TimeSpan s_pace = TimeSpan.FromSeconds(1);

    /// <summary>After so long what did not answer is asked again.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);

    private readonly CancellationTokenSource _end = new();
    private bool _isWanted;
    private bool _isLooking;
    private bool _isWaiting;

    [Inject]
    private ChangeStream Stream { get; set; } = null!;

    [Inject]
    private TimeProvider Time { get; set; } = null!;

    [CascadingParameter]
    private Task<AuthenticationState> Authentication { get; set; } = null!;

    /// <summary>Who is signed in.</summary>
    protected ClaimsPrincipal User { get; private set; } = new();

    /// <summary>Why the page does not show what it should, or null.</summary>
    protected Problem? Trouble { get; set; }

    /// <summary>Ends with the page.</summary>
    protected CancellationToken Gone => _end.Token;

    /// <summary>Whether a change of the shop concerns what the page shows.</summary>
    protected abstract bool Concerns(string change, JsonElement data);

    /// <summary>Reads what the page shows.</summary>
    protected abstract Task LoadAsync();

    protected override async Task OnInitializedAsync()
    {
        User = (await Authentication).User;
        Stream.Changed += TakeAsync;
        Stream.Reset += WantAsync;
    }

    /// <summary>What does not answer now will answer later: the page recovers by itself.</summary>
    protected override void OnAfterRender(bool firstRender)
    {
        if (Trouble is { IsPassing: true } && !_isWaiting)
        {
            _isWaiting = true;
            _ = WaitAsync();
        }
    }

    public virtual async ValueTask DisposeAsync()
    {
        Stream.Changed -= TakeAsync;
        Stream.Reset -= WantAsync;
        await _end.CancelAsync();
        _end.Dispose();
        GC.SuppressFinalize(this);
    }

    private Task TakeAsync(string change, JsonElement data) => InvokeAsync(() => Concerns(change, data) ? WantAsync() : Task.CompletedTask);

    private Task WantAsync() => InvokeAsync(() =>
    {
        _isWanted = true;
        if (!_isLooking)
        {
            _isLooking = true;
            _ = LookAsync();
        }
    });

    private async Task WaitAsync()
    {
        try
        {
            await Task.Delay(s_patience, Time, Gone);
            _isWaiting = false;
            await WantAsync();
        }
        catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
        {
            // The page is gone.
        }
    }

    private async Task LookAsync()
    {
        try
        {
            while (_isWanted)
            {
                _isWanted = false;
                await LoadAsync();
                StateHasChanged();
                await Task.Delay(s_pace, Time, Gone);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
        {
            // The page is gone.
        }
        finally
        {
            _isLooking = false;
        }
    }
}
