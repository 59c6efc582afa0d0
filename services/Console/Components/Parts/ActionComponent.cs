using Microsoft.AspNetCore.Components;

namespace OrderInventory.Console.Components.Parts;

/// <summary>
/// A component with actions that change something. One action runs at a time, and the next one can start only when the browser has drawn the
/// result: a second click, or Enter pressed twice, that was on its way meanwhile does nothing.
/// </summary>
public abstract class ActionComponent : ComponentBase
{
    private bool _isFinished;

    /// <summary>Whether an action runs, or its result is not drawn yet. Buttons that change something are disabled meanwhile.</summary>
    protected bool IsBusy { get; private set; }

    /// <summary>Runs an action, unless one is running.</summary>
    protected async Task RunAsync(Func<Task> action)
    {
        if (IsBusy)
        {
            return;
        }

        IsBusy = true;
        try
        {
            await action();
        }
        finally
        {
            _isFinished = true;
        }
    }

    /// <summary>Is called after the browser has confirmed that it has drawn the component.</summary>
    protected override void OnAfterRender(bool firstRender)
    {
        if (_isFinished)
        {
            (_isFinished, IsBusy) = (false, false);
            StateHasChanged();
        }
    }
}
