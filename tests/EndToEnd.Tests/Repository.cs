namespace OrderInventory.EndToEnd.Tests;

/// <summary>Where the sources and their build output are.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    /// <summary>A project's build output, relative to the project, in the configuration in which the tests were built.</summary>
    public static string Output { get; } = Path.GetRelativePath(Path.Combine(AppContext.BaseDirectory, "../../.."), AppContext.BaseDirectory);

    private static string Find()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "OrderInventory.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new DirectoryNotFoundException("The tests do not run inside the repository.");
        }

        return folder;
    }
}
