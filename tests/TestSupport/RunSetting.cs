using System.Globalization;

namespace OrderInventory.TestSupport;

/// <summary>What somebody sets for one run of the tests, such as a seed.</summary>
public static class RunSetting
{
    /// <exception cref="FormatException">It is set, and no whole number: a run with another seed than the wanted one would show nothing.</exception>
    public static int Of(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
