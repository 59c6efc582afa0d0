using OrderInventory.AppHost.Infrastructure;

namespace OrderInventory.EndToEnd.Tests;

/// <summary>A test that needs a program; it is skipped, with a message, where the program is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ProgramFactAttribute : FactAttribute
{
    public ProgramFactAttribute(string program, string package) =>
        Skip = Command.Find(program) is null ? $"{program} is not installed (Debian: apt-get install {package})." : null;
}
